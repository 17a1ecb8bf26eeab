"""What a training sees of a photo: as a small base sees it, and in which variations."""

from __future__ import annotations

import asyncio
import io
from contextlib import suppress
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
from storage.crops import Framing, centering, find_bucket, list_buckets
from storage.errors import UserError
from storage.photofiles import read_photo
from storage.records import Photo
from storage.variations import AUGMENTATIONS, list_variations, may_mirror

SHOWN_PIXELS = 256  #: of a side
LEAST_FACTOR = 4  #: a photo with so many times a base's pixels a side has detail that it misses
SMALL, WHOLE, VARIED = "seen-small.png", "seen-whole.png", "variations.webp"
VARIATION_SIDE = 240  #: pixels of a photo's longer side, beside its variations


class SeenCard(Card):
    """A card that may show a photo as a small base sees it, and in variations."""

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

    async def add_variations(self, bot: Bot, preview: Preview) -> None:
        """Show in which variations a photo is shown, if any were chosen."""
        strip = await draw_variations(bot, preview)
        if strip is not None:
            url = self.attach_content(strip, VARIED)
            said = say(wording.training.VARIED)
            self.add(ui.MediaGallery(discord.MediaGalleryItem(url, description=said)), text(said))

    def open_files(self) -> list[discord.File]:
        """Open the attached files; a photo for a small base is cut square and shrunk."""
        cut = {
            name: cut_square(path, self.sides[name], self.framing)
            for name, path in self.paths.items()
        }
        whole = {name: io.BytesIO(content) for name, content in self.contents.items()}
        return [discord.File(file, name) for name, file in (cut | whole).items()]


async def draw_variations(bot: Bot, preview: Preview) -> bytes | None:
    """Return how a training shows a photo, as one picture; None if it shows it as it is."""
    options, resolution = preview.order.options, preview.base.resolution
    chosen = [name for name in AUGMENTATIONS if options.get(name)]
    for photo in preview.photos if chosen else ():
        mirrors = may_mirror(photo.found_framing, photo.examination)
        variations = list_variations(chosen, str(photo.id), mirrors=mirrors)
        if len(variations) > 1:
            bucket = find_bucket((photo.width, photo.height), list_buckets(resolution))
            scale = VARIATION_SIDE / max(bucket)
            size = round(bucket[0] * scale), round(bucket[1] * scale)
            file = bot.store.home.preview_file(photo.digest)
            with suppress(UserError, FileNotFoundError):
                small = await asyncio.to_thread(read_photo, file)
                return await bot.darkroom.draw_strip(small, size, photo.framing, variations)
    return None


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
    """Return what is kept of a picture for a square of `side` pixels, each drawn as a square."""
    size, box = (side, side), Image.Resampling.BOX
    with Image.open(io.BytesIO(read_photo(path))) as picture:
        plain, at = picture.convert("RGB"), centering(picture.size, size, framing)
    if framing.whole:
        small = ImageOps.pad(plain, size, box)
    else:
        small = ImageOps.fit(plain, size, box, centering=at)
    factor = SHOWN_PIXELS // side
    out = io.BytesIO()
    small.resize((side * factor, side * factor), Image.Resampling.NEAREST).save(out, "PNG")
    out.seek(0)
    return out
