"""What was stored of a picture."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from storage.records import CheckedPhoto


def decode(checked: CheckedPhoto) -> Image.Image:
    """Return the stored pixels as a picture."""
    with Image.open(BytesIO(checked.pixels), formats=("PNG",)) as picture:
        picture.load()
    return picture


def has_colour(
    picture: Image.Image, at: tuple[int, int], colour: tuple[int, int, int], most: int = 12
) -> bool:
    """Return whether a pixel has a colour, within what a lossy format changes."""
    spot = picture.getpixel(at)
    assert isinstance(spot, tuple)
    return all(abs(a - b) <= most for a, b in zip(spot, colour, strict=True))
