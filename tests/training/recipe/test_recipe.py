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
from training.recipe.concepts import Shot, Topic
from training.recipe.recipe import SPARING, Recipe

BASE = Base("embedded", "Emoji", "sd1", "embedded", 64, "MIT", "emoji", present=True, small=True)
REQUEST = TrainRequest(
    "lora", "embedded", "my dog", "mydog", Concept.SUBJECT, Dial.QUICK, 100, 8, 1e-3, 4, 7, "dog"
)


def made(**more: Any) -> Recipe:
    """Complete a request."""
    return Recipe.of(REQUEST, BASE, [("0.png", ""), ("1.png", "a dog")], **more)


def test_round_trip() -> None:
    """A recipe that was JSON loads back to an equal recipe."""
    recipe = made(accepted=1.5, identity="f00", sides=(48, 96))

    assert Recipe.read(json.loads(json.dumps(recipe.json()))) == recipe


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
    recipe = Recipe.of(
        replace(REQUEST, method=method), replace(BASE, small=small), [("0.png", "")]
    )

    assert (recipe.wide, recipe.text, recipe.gamma) == expected


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("steps", -1, "steps_range"),
        ("steps", 10**9, "steps_range"),
        ("rank", -1, "rank_range"),
        ("rank", 129, "rank_range"),
        ("rate", 0.0, "rate_range"),
        ("rate", float("nan"), "rate_range"),
        ("batch", 0, "batch_range"),
        ("seed", -1, "seed_range"),
        ("resolution", 8, "resolution_range"),
        ("dropout", 1.0, "dropout_range"),
        ("schedule", "linear", "schedule_unknown"),
        ("background", 2.0, "background_range"),
        ("sides", (48, 9), "resolution_range"),
        ("sides", (48, 56, 72, 80, 88), "sides_many"),
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
        Recipe.read(made().json() | {field: value})

    assert refused.value.code == read.value.code == code


@pytest.mark.parametrize("broken", [{}, {"steps": "many"}, {"photos": 3}, {"concept": "fish"}])
def test_broken(broken: dict[str, Any]) -> None:
    """What is no recipe ends the job with a code."""
    content = made().json() | broken if broken else {}

    with pytest.raises(JobError) as refused:
        Recipe.read(content)

    assert refused.value.code in {"recipe_broken", "steps_range"}


@pytest.mark.parametrize(
    ("optimizer", "value", "code"),
    [
        (Optimizer.PRODIGY, {"rate": 1e-3}, "rate_range"),
        (Optimizer.ADAMW, {"rate": 1.0}, "rate_range"),
        (Optimizer.SCHEDULEFREE, {"ema": 0.9}, "schedule_free"),
        (Optimizer.SCHEDULEFREE, {"schedule": "cosine"}, "schedule_free"),
    ],
)
def test_optimizers(optimizer: Optimizer, value: dict[str, Any], code: str) -> None:
    """A rate means something else to Prodigy; schedule-free takes no other average."""
    look = replace(REQUEST, concept=Concept.LOOK)
    rate = 1.0 if optimizer is Optimizer.PRODIGY else 1e-3
    fine = Recipe.of(look, BASE, [("0.png", "")], optimizer=optimizer, rate=rate)

    with pytest.raises(JobError) as refused:
        replace(fine, **value)

    assert refused.value.code == code
    assert Recipe.read(json.loads(json.dumps(fine.json()))) == fine


def test_captions() -> None:
    """Every caption says the trigger; one without a caption gets one."""
    assert made().photos == (Shot("0.png", "a mydog emoji"), Shot("1.png", "mydog, a dog"))


def test_public() -> None:
    """What a file tells has no captions, photos' names or prompts in it."""
    told = json.dumps(made().public())

    assert "0.png" not in told
    assert "a dog" not in told
    assert json.loads(told)["photos"] == 2


OTHER = Topic("mycat", Concept.SUBJECT, "cat", (Shot("2.png", "mycat asleep"),))


def test_several_concepts() -> None:
    """Photos are numbered on; each concept has its trigger and is shown; files tell no caption."""
    recipe = made(others=(OTHER,))
    told = recipe.public()

    assert Recipe.read(json.loads(json.dumps(recipe.json()))) == recipe
    assert [shot.file for shot in recipe.shots] == ["0.png", "1.png", "2.png"]
    assert recipe.triggers == {"mydog": range(2), "mycat": range(2, 3)}
    assert [any(name in p.text for p in recipe.prompts) for name in recipe.triggers] == [1, 1]
    assert (told["others"][0]["trigger"], told["others"][0]["photos"]) == ("mycat", 1)
    assert "asleep" not in json.dumps(told)


@pytest.mark.parametrize(
    ("change", "prior", "code"),
    [
        ({"trigger": "MyDog"}, 0, "trigger_twice"),
        ({"trigger": ""}, 0, "trigger_missing"),
        ({"photos": ()}, 0, "no_photos"),
        ({}, 3, "prior_concepts"),
        ({"word": "dog"}, 3, None),
    ],
)
def test_concepts_apart(change: dict[str, Any], prior: int, code: str | None) -> None:
    """Concepts are told apart by their triggers; class pictures are of one class."""
    others = (replace(OTHER, **change),)
    if code is None:
        assert made(others=others, prior=prior).others == others
        return
    with pytest.raises(JobError) as refused:
        made(others=others, prior=prior)

    assert refused.value.code == code


def test_many_concepts() -> None:
    """A run takes five at most."""
    others = tuple(replace(OTHER, trigger=f"cat{at}") for at in range(5))

    assert len(made(others=others[:4]).triggers) == 5
    with pytest.raises(JobError) as refused:
        made(others=others)
    assert refused.value.facts["count"] == 6


def test_sparing() -> None:
    """A file tells of later options only where they are used, so that others stay the same."""
    used = {"shuffle": True, "dropout": 0.1, "optimizer": Optimizer.ADAFACTOR, "masked": True}
    used |= {"background": 0.0, "sides": (48, 96)}

    assert not SPARING & made().public().keys()
    assert made(**used).public() == made().public() | used


def test_warmth() -> None:
    """The rate rises in a tenth of the steps and then falls to a tenth."""
    warm = [made().lr_factor(step) for step in range(100)]

    assert warm[0] < 0.2
    assert max(warm) > 0.95
    assert 0.09 < warm[-1] < 0.11
    assert replace(made(), schedule="constant").lr_factor(99) == 1


def test_light() -> None:
    """Recipes and the list of bases load without torch."""
    code = "import sys, training.recipe.recipe, training.bases.registry as b; "
    code += "b.Bases(None).identity('embedded'); "
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
    recipe = Recipe.of(
        replace(REQUEST, concept=concept), replace(BASE, small=small), [("0.png", "")]
    )

    assert (recipe.text, recipe.ema) == expected
