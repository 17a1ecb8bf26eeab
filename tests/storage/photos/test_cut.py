"""Photos are cut to what a training sees, in the ways that it shows them."""

from __future__ import annotations

import pytest
from PIL import Image, ImageOps, ImageStat

from storage.crops import MIDDLE, Framing
from storage.photos.cut import cut_picture, vary_part
from storage.variations import MAX_ANGLE, MAX_ZOOM, Variation

SIZES = [(300, 100), (100, 300), (64, 64), (24, 500)]


def ramp(size: tuple[int, int]) -> Image.Image:
    """Return a picture whose red tells the place from the left, its green from the top."""
    down = Image.linear_gradient("L").resize(size)
    across = Image.linear_gradient("L").rotate(90).resize(size)
    return Image.merge("RGB", (across, down, Image.new("L", size, 128)))


@pytest.mark.parametrize("photo", SIZES)
@pytest.mark.parametrize("angle", [-MAX_ANGLE, 0, 3.5, 45])
@pytest.mark.parametrize("place", [(0, 0), (0.5, 1), (1, 0.3)])
def test_no_corner_lies_outside(
    photo: tuple[int, int], angle: float, place: tuple[float, float]
) -> None:
    """However a part is turned and moved, it lies in the photo, and nothing black is seen."""
    x, y = place
    variation = Variation(zoom=MAX_ZOOM, x=x, y=y, angle=angle)
    part = vary_part(photo, (64, 64), Framing(*place), variation)
    cut = cut_picture(Image.new("RGB", photo, "white"), (64, 64), Framing(*place), variation)

    assert 0 <= part.left < part.right <= photo[0]
    assert 0 <= part.top < part.bottom <= photo[1]
    assert part.right - part.left == pytest.approx(part.bottom - part.top)
    assert min(low for low, _ in cut.getextrema()) > 240


def test_a_variation_that_changes_nothing() -> None:
    """Without a change a variation shows what is shown without one."""
    picture, framing = ramp((300, 100)), Framing(0.2, 0.5)

    plain = cut_picture(picture, (64, 64), framing)
    varied = cut_picture(picture, (64, 64), framing, Variation())

    assert plain.tobytes() == varied.tobytes()
    at = (0.2 * 300 - 50) / 200
    assert (
        plain.tobytes()
        == ImageOps.fit(picture, (64, 64), Image.Resampling.LANCZOS, centering=(at, 0.5)).tobytes()
    )


def test_mirrored_nearer_and_coloured() -> None:
    """A mirrored part runs the other way, a nearer one is narrower, and a mask keeps its greys."""
    picture, mask = ramp((90, 90)), ramp((90, 90)).getchannel(0)
    near = Variation(mirrored=True, zoom=1.5, x=0.0, y=1.0, brightness=1.1)

    cut, shown = (cut_picture(each, (60, 60), MIDDLE, near) for each in (picture, mask))

    assert shown.getpixel((2, 30)) > shown.getpixel((57, 30))
    assert shown.getextrema()[1] == pytest.approx(255 / 1.5, abs=4)
    assert cut.getpixel((30, 2))[1] == pytest.approx(1.1 * 255 / 3, abs=9)
    assert ImageStat.Stat(cut.getchannel(0)).mean[0] > ImageStat.Stat(shown).mean[0] * 1.08


def test_whole() -> None:
    """A whole photo lies between bars, black in a mask, and is neither turned nor nearer."""
    whole, turned = Framing(whole=True), Variation(mirrored=True, angle=4, zoom=1.1)
    mask = cut_picture(Image.new("L", (300, 100), 255), (60, 60), whole, turned)
    cut = cut_picture(ramp((300, 100)), (60, 60), whole, turned)

    assert mask.crop((0, 20, 60, 40)).getextrema() == (255, 255)
    assert mask.crop((0, 0, 60, 19)).getextrema() == (0, 0)
    assert cut.getpixel((3, 30))[0] > 230
    assert cut.getpixel((3, 3))[0] == pytest.approx(128, abs=3)
