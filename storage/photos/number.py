"""Draw a photo's number on its preview."""

from __future__ import annotations

from functools import cache
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

MIN_BADGE_SIDE, BADGES_A_SIDE = 16, 6  #: pixels; of the picture's shorter side
INK, GROUND = "white", "#2b2d31"


def draw_number(preview: bytes, number: int) -> bytes:
    """Return a preview as WebP with a number in its corner.

    The corner is that of the square in the middle: Discord cuts tiles to about that.
    """
    with Image.open(BytesIO(preview), formats=("WEBP",)) as opened:
        picture = opened.convert("RGB")
    short = min(picture.size)
    height = max(MIN_BADGE_SIDE, short // BADGES_A_SIDE)
    font, said = load_font(height * 3 // 4), str(number)
    width = max(height, round(font.getlength(said)) + height // 2)
    left, top = ((side - short) // 2 for side in picture.size)
    pen, box = ImageDraw.Draw(picture), (left, top, left + width - 1, top + height - 1)
    pen.rounded_rectangle(box, height // 4, GROUND, corners=(False, False, True, False))
    pen.text((left + width / 2, top + height / 2), said, INK, font, anchor="mm")
    file = BytesIO()
    picture.save(file, "WEBP", quality=80, method=0)
    return file.getvalue()


@cache
def load_font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's own font, which is no file."""
    return ImageFont.load_default(size)
