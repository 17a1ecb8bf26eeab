"""Transparent photos are shown on several backgrounds, which their captions name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from storage.options import SMALL_BACKGROUNDS
from storage.records import Base, Concept, Dial
from storage.requests import TrainRequest
from training.recipe.backgrounds import COLOURS, name_ground
from training.recipe.concepts import ConceptPhotos, TrainingPhoto
from training.recipe.recipe import Recipe
from training.run.defaults import complete_recipe

BASE = Base("embedded", "Emoji", "sd1", "embedded", 64, "MIT", "emoji", present=True, small=True)
LARGE = replace(BASE, small=False)
REQUEST = TrainRequest(
    "lora", "embedded", "my dog", "mydog", Concept.SUBJECT, Dial.QUICK, 100, 8, 1e-3, 4, 7, "dog"
)
OTHER = ConceptPhotos("mycat", Concept.SUBJECT, "cat", (TrainingPhoto("2.png", "a mycat"),))


def make_recipe(base: Base = BASE, **more: Any) -> Recipe:
    """Return a recipe of two concepts; the photos 0 and 2 are transparent."""
    photos = [("0.png", "a mydog, on a white background"), ("1.png", "mydog, a dog")]
    more = {"other_concepts": (OTHER,)} | more
    return complete_recipe(REQUEST, base, photos, ["0.png", "2.png"], **more)


def test_spread() -> None:
    """Only transparent photos are repeated, those of other concepts as well."""
    recipe = make_recipe()

    files = [photo.file for photo in recipe.all_photos]
    assert files == [*["0.png"] * 4, "1.png", *["2.png"] * 4]
    grounds = [photo.background for photo in recipe.photos]
    assert len(set(grounds[:4])) == 4 == SMALL_BACKGROUNDS
    assert set(grounds) - {""} <= COLOURS.keys()
    assert [photo.caption for photo in recipe.photos] == [
        *(f"a mydog, on a {ground} background" for ground in grounds[:4]),
        "mydog, a dog",
    ]
    header = recipe.public_json()
    assert (header["photos"], header["other_concepts"][0]["photos"]) == (2, 1)
    assert header["random_backgrounds"] == 4
    assert Recipe.from_json(recipe.to_json()) == recipe


@pytest.mark.parametrize(
    ("base", "given", "found"),
    [
        (BASE, {}, 4),
        (BASE, {"random_backgrounds": 0}, 0),
        (BASE, {"random_backgrounds": 12}, 12),
        (LARGE, {}, 0),
        (LARGE, {"random_backgrounds": 2}, 2),
    ],
)
def test_who_decides(base: Base, given: dict[str, int], found: int) -> None:
    """Small bases do it by themselves, others when they are asked to."""
    recipe = make_recipe(base, **given)

    assert len([photo for photo in recipe.photos if photo.background]) == found
    assert ("random_backgrounds" in recipe.public_json()) == bool(found)


def test_nothing_to_see_through() -> None:
    """Opaque photos are left as they are, and the file's header says nothing of it."""
    recipe = complete_recipe(REQUEST, BASE, [("0.png", "a dog")])

    assert [photo.background for photo in recipe.photos] == [""]
    assert "random_backgrounds" not in recipe.public_json()


@pytest.mark.parametrize(
    ("caption", "named"),
    [
        ("a mydog emoji, on a light blue background", "a mydog emoji, on a red background"),
        ("mydog on an orange background, asleep", "mydog, asleep, on a red background"),
        ("mydog", "mydog, on a red background"),
    ],
)
def test_captions(caption: str, named: str) -> None:
    """A caption names the ground that is seen, and no other."""
    assert name_ground(caption, "red") == named
