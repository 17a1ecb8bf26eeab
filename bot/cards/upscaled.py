"""Cards with pictures that a model drew: tiny ones are enlarged, so that a phone shows them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import discord
from PIL import Image

from bot.card import Card

if TYPE_CHECKING:
    from pathlib import Path

SMALL_PIXELS, MIN_SHOWN_PIXELS = 200, 256  #: pixels of a side
PICTURE_SUFFIX = ".png"


class PictureCard(Card):
    """A card whose pictures are shown at least `SHOWN` pixels wide."""

    def open_files(self) -> list[discord.File]:
        """Open the promised files, the tiny pictures enlarged."""
        return [discord.File(enlarge(path), name) for name, path in self.paths.items()]


def enlarge(path: Path) -> io.BytesIO | Path:
    """Return a picture as it is shown."""
    if path.suffix != PICTURE_SUFFIX:
        return path
    with Image.open(path) as picture:
        if max(picture.size) >= SMALL_PIXELS:
            return path
        factor = -(-MIN_SHOWN_PIXELS // max(picture.size))
        size = (picture.width * factor, picture.height * factor)
        large = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    large.save(out, "PNG")
    out.seek(0)
    return out
