"""What a small base sees of a photo, beside what a base for photos sees."""

from __future__ import annotations

import io
from pathlib import Path

import discord
from PIL import Image, ImageOps

from bot import wording
from bot.card import Card
from bot.wording import say
from storage.records import Base

SHOWN_PIXELS = 256  #: of a side


class SeenCard(Card):
    """A card that may show a photo twice: as a small base sees it, and with all its detail."""

    def add_seen(self, photo: Path, base: Base) -> None:
        """Show a photo's small copy as it is at the base's resolution, and as it is."""
        small = say(wording.training.SEEN_SMALL, base=base.title, side=base.resolution)
        self.sides = {"seen-small.png": base.resolution, "seen-whole.png": SHOWN_PIXELS}
        self.paths |= dict.fromkeys(self.sides, photo)
        alts = zip(self.sides, (small, wording.training.SEEN_WHOLE), strict=True)
        self.add(
            discord.ui.MediaGallery(
                *(
                    discord.MediaGalleryItem(f"attachment://{name}", description=alt)
                    for name, alt in alts
                )
            )
        )

    def open_files(self) -> list[discord.File]:
        """Open the attached files, the photo cut square and shrunk."""
        return [
            discord.File(cut_square(path, self.sides[name]), name)
            for name, path in self.paths.items()
        ]


def cut_square(path: Path, side: int) -> io.BytesIO:
    """Return the middle square of a picture with `side` pixels, each drawn as a square."""
    with Image.open(path) as picture:
        small = ImageOps.fit(picture.convert("RGB"), (side, side), Image.Resampling.BOX)
    factor = SHOWN_PIXELS // side
    out = io.BytesIO()
    small.resize((side * factor, side * factor), Image.Resampling.NEAREST).save(out, "PNG")
    out.seek(0)
    return out
