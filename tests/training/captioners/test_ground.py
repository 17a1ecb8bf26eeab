"""The ground of a picture is measured and named."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw

from training.captioners._ground import describe_ground, measure_ground
from training.recipe.backgrounds import COLOURS


@pytest.mark.parametrize("name", COLOURS)
def test_a_plain_ground_is_named(name: str) -> None:
    """Each colour that the base knows has its name; what stands before it changes nothing."""
    picture = Image.new("RGB", (300, 200), COLOURS[name])
    ImageDraw.Draw(picture).ellipse((60, 40, 240, 160), "navy")

    assert measure_ground(picture) == 0
    assert describe_ground(picture).endswith(f" {name} background")


def test_an_uneven_ground_is_no_plain_one() -> None:
    """A white wall is named though light falls on it; a meadow is not named."""
    wall = Image.radial_gradient("L").point(lambda level: 255 - level // 5)
    meadow = Image.new("RGB", (9, 9))
    meadow.putdata([(40 * (at % 5), 90 + at, 37 * (at % 3)) for at in range(81)])

    assert measure_ground(wall) > 0.5
    assert describe_ground(wall) == "on a white background"
    assert measure_ground(meadow) > 0.5
    assert describe_ground(meadow) == ""


def test_two_plain_corners_are_enough() -> None:
    """A thing may reach into the corners at one side."""
    picture = Image.new("RGB", (64, 64), "white")
    picture.paste(Image.effect_noise((64, 30), 90), (0, 0))

    assert measure_ground(picture) == 0
