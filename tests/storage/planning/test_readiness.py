"""How ready photos are, and which one would help most."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from PIL import Image

from storage.photos.measures import list_warnings, measure
from storage.planning.readiness import Level, Readiness, rate_readiness
from storage.records import CheckedPhoto, Concept
from tests.storage.photos.scenes import draw_scene

SIZE = (320, 240)


def check(picture: Image.Image, number: int) -> CheckedPhoto:
    """Return a photo as the darkroom does, without its files; its hash is far from others'."""
    measures = measure(picture)
    warnings = list_warnings(measures, (999, 999))
    phash = number * 0x9E37_79B9_7F4A_7C15 % 2**64
    return CheckedPhoto(f"{number}", phash, *SIZE, b"", b"", warnings, measures=measures)


def draw(number: int, light: float = 1.0, ground: str | None = None) -> CheckedPhoto:
    """Draw a photo of something on a ground of one colour, or on its own."""
    picture = draw_scene(number, SIZE)
    if ground:
        plain = Image.new("RGB", SIZE, ground)
        plain.paste(picture.resize((160, 120)), (80, 60))
        picture = plain
    return check(picture.point(lambda level: min(255, int(level * light))), number)


def test_few() -> None:
    """Fewer than three different photos are not enough: a shot counts once, a plain one never."""
    photos = [draw(1), draw(1), draw(2), check(Image.new("RGB", SIZE, "red"), 3)]

    rated = rate_readiness(photos)

    assert (rated.level, rated.advice, rated.different, rated.missing) == (
        Level.NOT_YET,
        "few",
        2,
        1,
    )
    assert rate_readiness([]).level is Level.NOT_YET


@pytest.mark.parametrize(
    ("photos", "advice"),
    [
        ([draw(at, ground="orange") for at in range(4)], "one_ground"),
        ([draw(at, 0.6) for at in range(4)], "only_dim"),
        ([draw(at, (0.4, 1.0)[at % 2]) for at in range(4)], "more"),
        ([draw(at, (0.4, 1.0)[at % 2], "orange") for at in range(10)], "grounds"),
        ([draw(at, (0.4, 1.0)[at % 2]) for at in range(10)], ""),
    ],
)
def test_advice(photos: list[CheckedPhoto], advice: str) -> None:
    """The most useful next photo is the one that the set lacks most."""
    rated = rate_readiness(photos)

    assert rated.advice == advice
    assert rated.level is (Level.TRAINS if advice else Level.GOOD)
    assert sum(map(sum, rated.grid)) == rated.different == len(photos)


def test_look() -> None:
    """A look needs no other grounds, and neither does what was cut out."""
    photos = [draw(at, (0.4, 1.0)[at % 2], "orange") for at in range(10)]
    cut = [
        replace(photo, measures=replace(photo.measures, transparent=True)) for photo in photos
        if photo.measures
    ]  # fmt: skip

    assert rate_readiness(photos, Concept.LOOK).level is Level.GOOD
    assert rate_readiness(cut).level is Level.GOOD


def test_rank() -> None:
    """A varied set ranks over one on one ground, and that over six crops of one photo."""
    varied = [draw(at, (0.5, 1.0)[at % 2]) for at in range(6)]
    alike = [draw(at, ground="orange") for at in range(6)]
    boxes = [(at * 8, at * 6, 200 + at * 12, 150 + at * 9) for at in range(6)]
    crops = [check(draw_scene(1, SIZE).crop(box), at) for at, box in enumerate(boxes)]

    ranks = [rate_readiness(each).rank for each in (varied, alike, crops)]

    assert ranks[0] > ranks[1] > ranks[2]
    rated = rate_readiness(crops)
    assert (rated.level, rated.advice, rated.different, rated.missing) == (
        Level.NOT_YET,
        "crops",
        1,
        2,
    )


def test_json() -> None:
    """It is the same after a way through JSON."""
    rated = rate_readiness([draw(1), draw(2)])

    assert Readiness.from_json(json.loads(json.dumps(rated.to_json()))) == rated
