"""Every mode and profile of a picture becomes RGB."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PIL import Image, ImageCms

from storage.photos.pixels import check_picture
from tests.storage.photos.stored import decode, has_colour

Encode = Callable[..., bytes]


def test_cmyk(encode: Encode) -> None:
    """A CMYK picture is converted to RGB."""
    red = Image.new("CMYK", (64, 64), (0, 255, 255, 0))

    assert has_colour(decode(check_picture(encode(red, "JPEG"))), (32, 32), (255, 0, 0))


@pytest.mark.parametrize(("deep", "flat"), [(0, 0), (32768, 128), (65535, 255)])
def test_16_bits(encode: Encode, deep: int, flat: int) -> None:
    """A 16-bit picture is scaled to 8 bits, not clipped."""
    content = encode(Image.new("I;16", (64, 64), deep), "PNG")

    assert has_colour(decode(check_picture(content)), (32, 32), (flat, flat, flat), most=1)


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("L", 77, (77, 77, 77)),
        ("1", 1, (255, 255, 255)),
        ("P", 0, (0, 0, 0)),
        ("RGBA", (0, 0, 255, 255), (0, 0, 255)),
        ("RGBA", (0, 0, 255, 0), (255, 255, 255)),
        ("RGBA", (0, 0, 255, 128), (127, 127, 255)),
        ("LA", (0, 0), (255, 255, 255)),
    ],
)
def test_modes(
    encode: Encode, mode: str, colour: int | tuple[int, ...], expected: tuple[int, int, int]
) -> None:
    """Every mode becomes RGB, on white where it is transparent."""
    content = encode(Image.new(mode, (64, 64), colour), "PNG")

    assert has_colour(decode(check_picture(content)).convert("RGB"), (32, 32), expected, most=1)


def test_alpha(encode: Encode) -> None:
    """A picture with transparent parts is composited on white and keeps its alpha, both upright.

    Its digest differs from that of an opaque picture with the same colours.
    """
    clear = Image.new("RGBA", (60, 40), (0, 0, 255, 0))
    clear.paste((0, 0, 255, 255), (0, 0, 30, 40))
    solid = Image.new("RGBA", (60, 40), (255, 255, 255, 255))
    solid.paste((0, 0, 255, 255), (0, 0, 30, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter

    kept, plain = (
        check_picture(encode(clear, "PNG", exif=exif)),
        check_picture(encode(solid, "PNG", exif=exif)),
    )

    picture = decode(kept)
    assert (picture.mode, decode(plain).mode) == ("RGBA", "RGB")
    assert picture.convert("RGB").tobytes() == decode(plain).tobytes()
    assert [picture.getpixel((20, y)) for y in (5, 55)] == [(0, 0, 255, 255), (255, 255, 255, 0)]
    assert kept.digest != plain.digest
    assert kept.preview == plain.preview


def test_transparent_palette(encode: Encode) -> None:
    """A palette with a transparent colour is composited on white, too."""
    picture = Image.new("P", (64, 64), 3)
    picture.putpalette([10, 200, 30] * 256)

    content = encode(picture, "PNG", transparency=3)

    assert has_colour(
        decode(check_picture(content)).convert("RGB"), (32, 32), (255, 255, 255), most=0
    )


def test_profile(encode: Encode) -> None:
    """A colour profile is applied; a broken one, or one for another mode, is ignored."""
    grey = Image.new("RGB", (64, 64), (120, 130, 140))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()

    for profile in (srgb, lab, b"no profile at all"):
        content = encode(grey, "PNG", icc_profile=profile)
        assert has_colour(decode(check_picture(content)), (9, 9), (120, 130, 140), most=2)
