"""What is measured on a picture, and what is said to be wrong with it."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from storage.crops import Box
from storage.photos.measures import compare_octaves, list_warnings, measure
from tests.storage.photos.scenes import draw_scene

BLACK = (0, 0, 0)


def find_warnings(picture: Image.Image) -> tuple[str, ...]:
    """Return what is wrong with a picture."""
    return list_warnings(measure(picture), picture.size)


def enlarge(picture: Image.Image, factor: int) -> Image.Image:
    """Reduce a picture and enlarge it to its size again."""
    small = picture.resize([side // factor for side in picture.size], Image.Resampling.LANCZOS)
    return small.resize(picture.size, Image.Resampling.BICUBIC)


@pytest.mark.parametrize("size", [(640, 480), (1536, 1024)])
def test_detail(size: tuple[int, int]) -> None:
    """Blurred and enlarged pictures are soft, at any size, and the share of detail is measured."""
    sharp = draw_scene(size=size)

    assert find_warnings(sharp) == ()
    for radius in (1.5, 4, 12):
        assert find_warnings(sharp.filter(ImageFilter.GaussianBlur(radius))) == ("blurred",)
    assert find_warnings(enlarge(sharp, 3)) == ("blurred",)
    assert 0.2 < measure(enlarge(sharp, 3)).detail < 0.7


def test_sharp_subject_on_soft_ground() -> None:
    """A subject in focus is enough: its ground may be out of focus, or of one colour."""
    picture = draw_scene().filter(ImageFilter.GaussianBlur(8))
    picture.paste(draw_scene(1, (200, 160)), (220, 160))

    assert find_warnings(picture) == ()


def test_unknown_detail() -> None:
    """Of a very small picture nobody knows whether it is sharp; one of one colour is only that."""
    assert compare_octaves(draw_scene(size=(90, 90)).convert("L")) is None
    assert find_warnings(Image.new("L", (300, 300), 90)) == ("plain",)


@pytest.mark.parametrize("bars", [(0, 60, 0, 60), (90, 0, 90, 0), (0, 0, 0, 50)])
def test_bars(bars: tuple[int, int, int, int]) -> None:
    """Plain bars are found to the pixel; with something on them, it is a screenshot."""
    picture = ImageOps.expand(draw_scene(), bars, BLACK)

    found = measure(picture)

    assert (found.bars, list_warnings(found, picture.size)) == (bars, ("bars",))
    at = picture.width - 60, picture.height - 30
    ImageDraw.Draw(picture).rectangle((*at, at[0] + 40, at[1] + 14), fill="white")
    assert find_warnings(picture) == ("screenshot",)


def test_plain_ground() -> None:
    """A subject on a plain ground, a sky and a transparent picture have no bars."""
    ground = Image.new("RGB", (640, 480), "white")
    ground.paste(draw_scene(size=(400, 300)), (120, 90))
    sky = draw_scene()
    sky.paste(Image.linear_gradient("L").resize((640, 160)).point(lambda v: 120 + v // 4), (0, 0))
    cut = ImageOps.expand(draw_scene(), (0, 60, 0, 60), BLACK)
    cut.putalpha(255)

    assert [measure(each).bars for each in (ground, sky, cut)] == [(0, 0, 0, 0)] * 3


def test_faces() -> None:
    """Faces in the background do not count; without a detector their number is unknown."""
    boxes = [Box(0.1, 0.1, 0.4, 0.5), Box(0.6, 0.1, 0.9, 0.4), Box(0.5, 0.8, 0.55, 0.85)]

    counts = [measure(draw_scene(), faces).faces for faces in (None, [], boxes[:1], boxes)]

    assert counts == [None, 0, 1, 2]


def test_exposure() -> None:
    """Very dark and overexposed photos are named; a drawing in lines on white is none of them."""
    lines = Image.new("RGB", (640, 480), "white")
    for at in range(100, 500, 40):
        ImageDraw.Draw(lines).ellipse((at, 100, at + 120, 380), outline="black", width=5)

    assert "dark" in find_warnings(ImageEnhance.Brightness(draw_scene()).enhance(0.2))
    assert "bright" in find_warnings(draw_scene().point(lambda level: min(255, 170 + level * 2)))
    assert find_warnings(lines) == ()
