"""Draw a photo's number, and what a training does not see of it, on its preview."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from storage.crops import MIN_SHOWN_CUT, Box, Framing, Size
from storage.photos.cut import cut_picture
from storage.variations import Variation

MIN_BADGE_SIDE, BADGES_A_SIDE = 16, 6  #: pixels; of the tile's side
INK, GROUND = "white", "#2b2d31"
STRIP_GAP = 4  #: pixels
CUT_BRIGHTNESS = 0.25  #: of what is cut away
LINES_A_SIDE = 128  #: thicknesses of the line around what is kept


def draw_tile(preview: bytes, number: int, kept: Box) -> bytes:
    """Return a preview as a square WebP: what is cut away is dark, the number in the corner.

    Discord shows several pictures as squares, and would cut away more. The ground beside a picture
    is transparent. With the number 0, it is shown alone: without a number and ground.
    """
    with Image.open(BytesIO(preview), formats=("WEBP",)) as opened:
        picture = opened.convert("RGB")
    if kept.cut >= MIN_SHOWN_CUT:
        picture = darken_cut(picture, kept)
    file = BytesIO()
    (make_tile(picture, number) if number else picture).save(file, "WEBP", quality=80, method=0)
    return file.getvalue()


def make_tile(picture: Image.Image, number: int) -> Image.Image:
    """Return a picture in the middle of a square, with a number in the corner."""
    side = max(picture.size)
    tile = Image.new("RGBA", (side, side))
    tile.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    draw_number(tile, number)
    return tile


def draw_strip(
    preview: bytes, size: Size, framing: Framing, variations: Sequence[Variation | None]
) -> bytes:
    """Return a preview in variations, each cut to a size, side by side as one WebP."""
    with Image.open(BytesIO(preview), formats=("WEBP",)) as opened:
        picture = opened.convert("RGB")
    step = size[0] + STRIP_GAP
    strip = Image.new("RGBA", (step * len(variations) - STRIP_GAP, size[1]))
    for at, variation in enumerate(variations):
        strip.paste(cut_picture(picture, size, framing, variation), (at * step, 0))
    file = BytesIO()
    strip.save(file, "WEBP", quality=80, method=0)
    return file.getvalue()


def darken_cut(picture: Image.Image, kept: Box) -> Image.Image:
    """Return a picture that is dark outside of a box, with a line around it."""
    width, height = picture.size
    left, right = (round(share * width) for share in (kept.left, kept.right))
    top, bottom = (round(share * height) for share in (kept.top, kept.bottom))
    dark = picture.point([round(value * CUT_BRIGHTNESS) for value in range(256)] * 3)
    dark.paste(picture.crop((left, top, right, bottom)), (left, top))
    line = max(1, max(picture.size) // LINES_A_SIDE)
    ImageDraw.Draw(dark).rectangle((left, top, right - 1, bottom - 1), outline=INK, width=line)
    return dark


def draw_number(tile: Image.Image, number: int) -> None:
    """Draw a number into the corner of a square picture."""
    height = max(MIN_BADGE_SIDE, tile.width // BADGES_A_SIDE)
    font, said = load_font(height * 3 // 4), str(number)
    width = max(height, round(font.getlength(said)) + height // 2)
    pen, box = ImageDraw.Draw(tile), (0, 0, width - 1, height - 1)
    pen.rounded_rectangle(box, height // 4, GROUND, corners=(False, False, True, False))
    pen.text((width / 2, height / 2), said, INK, font, anchor="mm")


@cache
def load_font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's own font, which is no file."""
    return ImageFont.load_default(size)
