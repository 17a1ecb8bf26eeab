"""The gallery of a dataset's photos, numbered as in the lines below it."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from discord import ui

from bot.actions.framing import Crops, draw_tiles
from bot.bot import Bot
from bot.card import Card
from bot.cards.dataset_text import alt_text
from bot.wording import flatten
from storage.records import Dataset, Photo

MAX_ALT_CHARS = 1000  #: Discord takes 1024


async def add_photo_gallery(
    bot: Bot, card: Card, dataset: Dataset, photos: Sequence[tuple[int, Photo]], crops: Crops
) -> None:
    """Add photos of a dataset, given with their numbers, to a card."""
    tiles = await draw_tiles(bot, photos, crops)
    items = [
        discord.MediaGalleryItem(
            card.attach_content(tile, f"photo-{number}.webp"),
            description=flatten(alt_text(dataset, number, photo), MAX_ALT_CHARS),
        )
        for (number, photo), tile in zip(photos, tiles, strict=True)
    ]
    card.add(ui.MediaGallery(*items))
