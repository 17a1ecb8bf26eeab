"""Recipes: completed, checked, read back."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest

from storage.errors import JobError
from storage.records import Base, Concept, Dial, Optimizer
from storage.requests import TrainRequest
from training.recipe.concepts import ConceptPhotos, TrainingPhoto
from training.recipe.recipe import OMITTED_WHEN_DEFAULT, Recipe
from training.run.defaults import complete_recipe

BASE = Base("embedded", "Emoji", "sd1", "embedded", 64, "MIT", "emoji", present=True, small=True)
REQUEST = TrainRequest(
    "lora", "embedded", "my dog", "mydog", Concept.SUBJECT, Dial.QUICK, 100, 8, 1e-3, 4, 7, "dog"
)


def make_recipe(**more: Any) -> Recipe:
    """Return the recipe of `REQUEST`."""
    return complete_recipe(REQUEST, BASE, [("0.png", ""), ("1.png", "a dog")], **more)


def test_round_trip() -> None:
    """A recipe survives a round trip through JSON."""
    recipe = make_recipe(accepted=1.5, base_fingerprint="f00", extra_resolutions=(48, 96))

    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


def test_frozen() -> None:
    """A recipe cannot be changed."""
    with pytest.raises(FrozenInstanceError):
        make_recipe().steps = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("method", "small", "expected"),
    [
        ("lora", True, (True, False, 0.0)),
        ("lora", False, (False, True, 5.0)),
        ("embedding", True, (False, False, 0.0)),
        ("embedding", False, (False, False, 0.0)),
    ],
)
def test_method_defaults(method: str, small: bool, expected: tuple[bool, bool, float]) -> None:
    """A LoRA has all layers on a small base, text layers on others; min-SNR is for true sizes."""
    recipe = complete_recipe(
        replace(REQUEST, method=method), replace(BASE, small=small), [("0.png", "")]
    )

    assert (recipe.all_layers, recipe.train_text_encoder, recipe.min_snr_gamma) == expected


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("steps", -1, "out_of_range"),
        ("steps", 10**9, "out_of_range"),
        ("rank", -1, "out_of_range"),
        ("rank", 129, "out_of_range"),
        ("learning_rate", 0.0, "out_of_range"),
        ("learning_rate", float("nan"), "out_of_range"),
        ("batch_size", 0, "out_of_range"),
        ("seed", -1, "out_of_range"),
        ("resolution", 8, "out_of_range"),
        ("dropout", 1.0, "out_of_range"),
        ("lr_scheduler", "linear", "not_a_choice"),
        ("unmasked_weight", 2.0, "out_of_range"),
        ("extra_resolutions", (48, 9), "out_of_range"),
        ("extra_resolutions", (48, 56, 72, 80, 88), "sides_many"),
        ("photos", (), "no_photos"),
        ("trigger", " ", "trigger_missing"),
        ("name", "../up", "name_bad"),
        ("name", "", "name_bad"),
    ],
)
def test_limits(field: str, value: Any, code: str) -> None:
    """A number beyond its limits is refused with a code, in a new recipe and in JSON."""
    with pytest.raises(JobError) as refused:
        replace(make_recipe(), **{field: value})
    with pytest.raises(JobError) as read:
        Recipe.from_json(make_recipe().to_json() | {field: value})

    assert refused.value.code == read.value.code == code


@pytest.mark.parametrize("broken", [{}, {"steps": "many"}, {"photos": 3}, {"concept": "fish"}])
def test_broken(broken: dict[str, Any]) -> None:
    """Malformed JSON ends the job with a code."""
    content = make_recipe().to_json() | broken if broken else {}

    with pytest.raises(JobError) as refused:
        Recipe.from_json(content)

    assert refused.value.code in {"recipe_broken", "out_of_range"}


@pytest.mark.parametrize(
    ("optimizer", "value", "code"),
    [
        (Optimizer.PRODIGY, {"learning_rate": 1e-3}, "out_of_range"),
        (Optimizer.ADAMW, {"learning_rate": 1.0}, "out_of_range"),
        (Optimizer.SCHEDULEFREE, {"ema_decay": 0.9}, "schedule_free"),
        (Optimizer.SCHEDULEFREE, {"lr_scheduler": "cosine"}, "schedule_free"),
    ],
)
def test_optimizers(optimizer: Optimizer, value: dict[str, Any], code: str) -> None:
    """Prodigy takes a factor for a learning rate; schedule-free neither EMA nor schedule."""
    look = replace(REQUEST, concept=Concept.LOOK)
    rate = 1.0 if optimizer is Optimizer.PRODIGY else 1e-3
    fine = complete_recipe(look, BASE, [("0.png", "")], optimizer=optimizer, learning_rate=rate)

    with pytest.raises(JobError) as refused:
        replace(fine, **value)

    assert refused.value.code == code
    assert Recipe.from_json(json.loads(json.dumps(fine.to_json()))) == fine


def test_captions() -> None:
    """Every caption has the trigger; photos without a caption get one."""
    assert make_recipe().photos == (
        TrainingPhoto("0.png", "a mydog emoji"),
        TrainingPhoto("1.png", "mydog, a dog"),
    )


def test_public() -> None:
    """The public JSON has no captions, photo names or prompts."""
    public = json.dumps(make_recipe().public_json())

    assert "0.png" not in public
    assert "a dog" not in public
    assert json.loads(public)["photos"] == 2


OTHER = ConceptPhotos("mycat", Concept.SUBJECT, "cat", (TrainingPhoto("2.png", "mycat asleep"),))


def test_several_concepts() -> None:
    """Concepts have ranges of photos and prompts of their own; public JSON has no captions."""
    recipe = make_recipe(other_concepts=(OTHER,))
    public = recipe.public_json()

    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe
    assert [shot.file for shot in recipe.all_photos] == ["0.png", "1.png", "2.png"]
    assert recipe.photo_ranges == {"mydog": range(2), "mycat": range(2, 3)}
    assert [any(name in p.text for p in recipe.prompts) for name in recipe.photo_ranges] == [1, 1]
    assert (public["other_concepts"][0]["trigger"], public["other_concepts"][0]["photos"]) == (
        "mycat",
        1,
    )
    assert "asleep" not in json.dumps(public)


@pytest.mark.parametrize(
    ("change", "prior", "code"),
    [
        ({"trigger": "MyDog"}, 0, "trigger_twice"),
        ({"trigger": ""}, 0, "trigger_missing"),
        ({"photos": ()}, 0, "no_photos"),
        ({}, 3, "prior_concepts"),
        ({"class_word": "dog"}, 3, None),
    ],
)
def test_triggers(change: dict[str, Any], prior: int, code: str | None) -> None:
    """Triggers must differ; with class pictures, all concepts have the same class."""
    others = (replace(OTHER, **change),)
    if code is None:
        assert make_recipe(other_concepts=others, num_class_images=prior).other_concepts == others
        return
    with pytest.raises(JobError) as refused:
        make_recipe(other_concepts=others, num_class_images=prior)

    assert refused.value.code == code


def test_many_concepts() -> None:
    """A run trains at most five concepts."""
    others = tuple(replace(OTHER, trigger=f"cat{at}") for at in range(5))

    assert len(make_recipe(other_concepts=others[:4]).photo_ranges) == 5
    with pytest.raises(JobError) as refused:
        make_recipe(other_concepts=others)
    assert refused.value.facts["count"] == 6


def test_omitted_defaults() -> None:
    """Newer options are in the public JSON only if used, so that other files stay the same."""
    used = {
        "shuffle_caption": True,
        "dropout": 0.1,
        "optimizer": Optimizer.ADAFACTOR,
        "masked_loss": True,
    }
    used |= {"unmasked_weight": 0.0, "extra_resolutions": (48, 96)}

    assert not OMITTED_WHEN_DEFAULT & make_recipe().public_json().keys()
    assert make_recipe(**used).public_json() == make_recipe().public_json() | used


def test_lr_factor() -> None:
    """The learning rate rises over a tenth of the steps and then falls to a tenth."""
    recipe = make_recipe(lr_scheduler="cosine")
    factors = [recipe.lr_factor(step) for step in range(100)]

    assert factors[0] < 0.2
    assert max(factors) > 0.95
    assert 0.09 < factors[-1] < 0.11
    assert replace(recipe, lr_scheduler="constant").lr_factor(99) == 1


def test_imports() -> None:
    """Recipes and the list of bases import no torch."""
    code = "import sys, training.recipe.recipe, training.bases.registry as b; "
    code += "b.BaseRegistry().fingerprint('embedded'); "
    code += "sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("concept", "small", "expected"),
    [
        (Concept.LOOK, True, (True, 0.97, "cosine", 0.0)),
        (Concept.LOOK, False, (False, 0.0, "cosine", 0.0)),
        (Concept.SUBJECT, True, (False, 0.97, "constant", 0.05)),
        (Concept.SUBJECT, False, (True, 0.0, "cosine", 0.0)),
    ],
)
def test_concept_defaults(
    concept: Concept, small: bool, expected: tuple[bool, float, str, float]
) -> None:
    """Text layers are trained for looks on a small base, for subjects on others.

    A small base averages the weights; subjects it learns at one rate, with captions dropped.
    """
    recipe = complete_recipe(
        replace(REQUEST, concept=concept), replace(BASE, small=small), [("0.png", "")]
    )

    chosen = (recipe.ema_decay, recipe.lr_scheduler, recipe.caption_dropout_rate)
    assert (recipe.train_text_encoder, *chosen) == expected
