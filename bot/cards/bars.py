"""The button that adds a photo without its bars; the photo that has them stays."""

from __future__ import annotations

import asyncio

from bot import wording
from bot.bot import Bot, Interaction
from bot.card import Card
from bot.cards.components import Button, defer_update, follow_up, text
from bot.wording import say
from storage.errors import UserError
from storage.photofiles import read_photo
from storage.records import Photo


async def cut_bars(bot: Bot, photo: Photo) -> str:
    """Add a photo without its bars, under the same caption, and say so."""
    if photo.measures is None or not any(photo.measures.bars):
        raise UserError("card_old")
    dataset = await bot.store.datasets.get(photo.dataset, photo.owner)
    pixels = await asyncio.to_thread(read_photo, bot.store.home.photo_file(photo.digest))
    cut = await bot.darkroom.cut(pixels, photo.measures.bars, masked=photo.masked)
    added = await bot.store.photos.add(dataset, cut, photo.contributor)
    if photo.caption:
        await bot.store.photos.set_caption(added.id, photo.owner, photo.caption)
    count = len(await bot.store.photos.list_for(dataset.id, photo.owner))
    return say(wording.verdicts.BARS_CUT, number=count)


class CutBars(Button, verb="photo:cutbars"):
    """Add the photo without its bars."""

    label = wording.verdicts.CUT_BARS

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        bot = interaction.client
        photo = await bot.store.photos.get(self.number(0), interaction.user.id)
        await follow_up(interaction, Card(text(await cut_bars(bot, photo))))
