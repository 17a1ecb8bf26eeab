"""The button that adds a photo without its bars; the photo that has them stays."""

from __future__ import annotations

import asyncio

from bot import wording
from bot.bot import Interaction
from bot.card import Card
from bot.cards.components import Button, defer_update, follow_up, text
from bot.wording import say
from storage.errors import UserError
from storage.photofiles import read_photo


class CutBars(Button, verb="photo:cutbars"):
    """Add the photo without its bars, under the same caption."""

    label = wording.verdicts.CUT_BARS

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        bot, owner = interaction.client, interaction.user.id
        photo = await bot.store.photos.get(self.number(0), owner)
        dataset = await bot.store.datasets.get(photo.dataset, owner)
        if photo.measures is None or not any(photo.measures.bars):
            raise UserError("card_old")
        path = bot.store.home.photo_file(photo.digest)
        pixels = await asyncio.to_thread(read_photo, path)
        cut = await bot.darkroom.cut(pixels, photo.measures.bars, masked=photo.masked)
        added = await bot.store.photos.add(dataset, cut, photo.contributor)
        if photo.caption:
            await bot.store.photos.set_caption(added.id, owner, photo.caption)
        count = len(await bot.store.photos.list_for(dataset.id, owner))
        await follow_up(interaction, Card(text(say(wording.verdicts.BARS_CUT, number=count))))
