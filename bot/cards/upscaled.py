"""Cards with drawn pictures: tiny ones are enlarged, so that a phone shows them well."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Self

import discord
from discord import ui
from PIL import Image

from bot.card import Card
from bot.cards.chat import draw_chat

SMALL_PIXELS, MIN_SHOWN_PIXELS = 200, 512  #: pixels of a side
PICTURE_SUFFIX = ".png"


class PictureCard(Card):
    """A card that shows pictures at least MIN_SHOWN_PIXELS wide."""

    chat: tuple[str, Path, Path] | None = None  #: a file's name, and what is shown in it

    def add_chat(self, dark: Path, light: Path, alt: str) -> Self:
        """Add a picture of two pictures as emoji in a chat."""
        url = self.attach(light)
        self.chat = (url.removeprefix("attachment://"), dark, light)
        return self.add(ui.MediaGallery(discord.MediaGalleryItem(url, description=alt)))

    def open_files(self) -> list[discord.File]:
        """Open the attached files, tiny pictures enlarged."""
        shown = {name: enlarge(path) for name, path in self.paths.items()}  # or raises, none open
        if self.chat:
            name, dark, light = self.chat
            shown[name] = draw_chat(dark, light)
        drawn = {name: io.BytesIO(content) for name, content in self.contents.items()}
        return [discord.File(content, name) for name, content in (shown | drawn).items()]


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
