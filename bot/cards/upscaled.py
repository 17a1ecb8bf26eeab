"""Cards with drawn pictures: tiny ones are enlarged, so that a phone shows them well."""

from __future__ import annotations

import io
from pathlib import Path

import discord
from PIL import Image

from bot.card import Card

SMALL_PIXELS, MIN_SHOWN_PIXELS = 200, 256  #: pixels of a side
PICTURE_SUFFIX = ".png"


class PictureCard(Card):
    """A card that shows pictures at least MIN_SHOWN_PIXELS wide."""

    def open_files(self) -> list[discord.File]:
        """Open the attached files, tiny pictures enlarged."""
        shown = {name: enlarge(path) for name, path in self.paths.items()}  # or raises, none open
        return [discord.File(content, name) for name, content in shown.items()]


def enlarge(path: Path) -> io.BytesIO | Path:
    """Return a tiny picture enlarged by a whole factor, every pixel as a square; others as a path.

    A smooth filter would blur the little there is.
    """
    if path.suffix != PICTURE_SUFFIX:
        return path
    with Image.open(path) as picture:
        if max(picture.size) >= SMALL_PIXELS:
            return path
        factor = -(-MIN_SHOWN_PIXELS // max(picture.size))
        size = (picture.width * factor, picture.height * factor)
        large = picture.convert("RGB").resize(size, Image.Resampling.NEAREST)
    out = io.BytesIO()
    large.save(out, "PNG")
    out.seek(0)
    return out
