"""What a small base sees of a photo, beside what a base for photos sees."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import discord
from discord import ui
from PIL import Image, ImageOps

from bot import wording
from bot.actions.training import Preview
from bot.bot import Bot
from bot.card import Card
from bot.cards.components import text
from bot.wording import say
from storage.crops import Framing, centering
from storage.records import Photo

SHOWN_PIXELS = 256  #: of a side
LEAST_FACTOR = 4  #: a photo with so many times a base's pixels a side has detail that it misses
SMALL, WHOLE = "seen-small.png", "seen-whole.png"


class SeenCard(Card):
    """A card that may show a photo twice: as a small base sees it, and with all its detail."""

    async def add_seen(self, bot: Bot, preview: Preview) -> None:
        """Show what the base sees of a photo, where it misses much of it."""
        photo = await find_large_photo(bot, preview)
        if photo is None:
            return
        base = preview.base
        self.sides = {SMALL: base.resolution, WHOLE: SHOWN_PIXELS}
        self.paths |= dict.fromkeys(self.sides, bot.store.home.preview_file(photo.digest))
        self.framing = photo.framing
        alt = say(wording.training.SEEN_SMALL, base=base.title, side=base.resolution)
        small = discord.MediaGalleryItem(f"attachment://{SMALL}", description=alt)
        alt = wording.training.SEEN_WHOLE
        whole = discord.MediaGalleryItem(f"attachment://{WHOLE}", description=alt)
        said = say(wording.training.SMALL, base=base.title, side=base.resolution)
        self.add(ui.MediaGallery(small, whole), text(said))

    def open_files(self) -> list[discord.File]:
        """Open the attached files, the photo cut square and shrunk."""
        return [
            discord.File(cut_square(path, self.sides[name], self.framing), name)
            for name, path in self.paths.items()
        ]


async def find_large_photo(bot: Bot, preview: Preview) -> Photo | None:
    """Return the first photo of which a small base sees little, as of any real photograph.

    Drawings with transparent parts are what such a base is for.
    """
    least = LEAST_FACTOR * preview.base.resolution
    large = [photo for photo in preview.photos if min(photo.width, photo.height) >= least]
    if not preview.base.small or not large:
        return None
    drawn = await asyncio.to_thread(bot.store.photos.any_transparent, large[:1])
    return None if drawn else large[0]


def cut_square(path: Path, side: int, framing: Framing) -> io.BytesIO:
    """Return the square kept of a picture with `side` pixels, each drawn as a square."""
    size, box = (side, side), Image.Resampling.BOX
    with Image.open(path) as picture:
        at = centering(picture.size, size, framing)
        small = ImageOps.fit(picture.convert("RGB"), size, box, centering=at)
    factor = SHOWN_PIXELS // side
    out = io.BytesIO()
    small.resize((side * factor, side * factor), Image.Resampling.NEAREST).save(out, "PNG")
    out.seek(0)
    return out
