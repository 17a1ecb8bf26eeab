"""Recipes: whole, frozen, read back as they were."""

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


def made(**more: Any) -> Recipe:
    """Complete a request."""
    return complete_recipe(REQUEST, BASE, [("0.png", ""), ("1.png", "a dog")], **more)


def test_round_trip() -> None:
    """A recipe that was JSON loads back to an equal recipe."""
    recipe = made(accepted=1.5, base_fingerprint="f00", extra_resolutions=(48, 96))

    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


def test_frozen() -> None:
    """A recipe does not change."""
    with pytest.raises(FrozenInstanceError):
        made().steps = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("method", "small", "expected"),
    [
        ("lora", True, (True, False, 5.0)),
        ("lora", False, (False, True, 5.0)),
        ("embedding", True, (False, False, 0.0)),
        ("embedding", False, (False, False, 0.0)),
    ],
)
def test_chosen(method: str, small: bool, expected: tuple[bool, bool, float]) -> None:
    """A small base's LoRA is wide, a true one's reads; words learn from all noise levels alike."""
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
def test_bounds(field: str, value: Any, code: str) -> None:
    """What is out of bounds is refused with its code, made or read."""
    with pytest.raises(JobError) as refused:
        replace(made(), **{field: value})
    with pytest.raises(JobError) as read:
        Recipe.from_json(made().to_json() | {field: value})

    assert refused.value.code == read.value.code == code


@pytest.mark.parametrize("broken", [{}, {"steps": "many"}, {"photos": 3}, {"concept": "fish"}])
def test_broken(broken: dict[str, Any]) -> None:
    """What is no recipe ends the job with a code."""
    content = made().to_json() | broken if broken else {}

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
    """A rate means something else to Prodigy; schedule-free takes no other average."""
    look = replace(REQUEST, concept=Concept.LOOK)
    rate = 1.0 if optimizer is Optimizer.PRODIGY else 1e-3
    fine = complete_recipe(look, BASE, [("0.png", "")], optimizer=optimizer, learning_rate=rate)

    with pytest.raises(JobError) as refused:
        replace(fine, **value)

    assert refused.value.code == code
    assert Recipe.from_json(json.loads(json.dumps(fine.to_json()))) == fine


def test_captions() -> None:
    """Every caption says the trigger; one without a caption gets one."""
    assert made().photos == (
        TrainingPhoto("0.png", "a mydog emoji"),
        TrainingPhoto("1.png", "mydog, a dog"),
    )


def test_public() -> None:
    """What a file tells has no captions, photos' names or prompts in it."""
    told = json.dumps(made().public_json())

    assert "0.png" not in told
    assert "a dog" not in told
    assert json.loads(told)["photos"] == 2


OTHER = ConceptPhotos("mycat", Concept.SUBJECT, "cat", (TrainingPhoto("2.png", "mycat asleep"),))


def test_several_concepts() -> None:
    """Photos are numbered on; each concept has its trigger and is shown; files tell no caption."""
    recipe = made(other_concepts=(OTHER,))
    told = recipe.public_json()

    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe
    assert [shot.file for shot in recipe.all_photos] == ["0.png", "1.png", "2.png"]
    assert recipe.photo_ranges == {"mydog": range(2), "mycat": range(2, 3)}
    assert [any(name in p.text for p in recipe.prompts) for name in recipe.photo_ranges] == [1, 1]
    assert (told["other_concepts"][0]["trigger"], told["other_concepts"][0]["photos"]) == (
        "mycat",
        1,
    )
    assert "asleep" not in json.dumps(told)


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
def test_concepts_apart(change: dict[str, Any], prior: int, code: str | None) -> None:
    """Concepts are told apart by their triggers; class pictures are of one class."""
    others = (replace(OTHER, **change),)
    if code is None:
        assert made(other_concepts=others, num_class_images=prior).other_concepts == others
        return
    with pytest.raises(JobError) as refused:
        made(other_concepts=others, num_class_images=prior)

    assert refused.value.code == code


def test_many_concepts() -> None:
    """A run takes five at most."""
    others = tuple(replace(OTHER, trigger=f"cat{at}") for at in range(5))

    assert len(made(other_concepts=others[:4]).photo_ranges) == 5
    with pytest.raises(JobError) as refused:
        made(other_concepts=others)
    assert refused.value.facts["count"] == 6


def test_sparing() -> None:
    """A file tells of later options only where they are used, so that others stay the same."""
    used = {
        "shuffle_caption": True,
        "dropout": 0.1,
        "optimizer": Optimizer.ADAFACTOR,
        "masked_loss": True,
    }
    used |= {"unmasked_weight": 0.0, "extra_resolutions": (48, 96)}

    assert not OMITTED_WHEN_DEFAULT & made().public_json().keys()
    assert made(**used).public_json() == made().public_json() | used


def test_warmth() -> None:
    """The rate rises in a tenth of the steps and then falls to a tenth."""
    warm = [made().lr_factor(step) for step in range(100)]

    assert warm[0] < 0.2
    assert max(warm) > 0.95
    assert 0.09 < warm[-1] < 0.11
    assert replace(made(), lr_scheduler="constant").lr_factor(99) == 1


def test_light() -> None:
    """Recipes and the list of bases load without torch."""
    code = "import sys, training.recipe.recipe, training.bases.registry as b; "
    code += "b.BaseRegistry().fingerprint('embedded'); "
    code += "sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("concept", "small", "expected"),
    [
        (Concept.LOOK, True, (True, 0.97)),
        (Concept.LOOK, False, (False, 0.0)),
        (Concept.SUBJECT, True, (False, 0.0)),
        (Concept.SUBJECT, False, (True, 0.0)),
    ],
)
def test_looks(concept: Concept, small: bool, expected: tuple[bool, float]) -> None:
    """A tiny base reads for a look and averages it; a true one reads for a subject."""
    recipe = complete_recipe(
        replace(REQUEST, concept=concept), replace(BASE, small=small), [("0.png", "")]
    )

    assert (recipe.train_text_encoder, recipe.ema_decay) == expected
