"""The card of a collection: photos that a member posts as messages, until Done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord

from bot import wording
from bot.actions.photos import describe
from bot.cards.components import Card, row, show, text, touch
from bot.cards.dataset import Owned, dataset_card
from bot.wording import say
from storage.errors import UserError

if TYPE_CHECKING:
    from bot.cards.components import Asked
    from storage.records import Dataset


async def begin(interaction: Asked, dataset: Dataset) -> Card:
    """Start collecting what the member posts here, and lay out how it ends."""
    bot, channel = interaction.client, interaction.channel_id
    if not bot.settings.collect or channel is None:
        raise UserError("collect_off")
    await bot.store.datasets.set_collecting(interaction.user.id, channel, dataset.id)
    return Card(text(say(wording.dataset.COLLECT_ON, name=dataset.name)), row(Done(dataset.id)))


class Done(Owned, verb="collect:done"):
    """End collecting and have the new photos described."""

    label = wording.dataset.DONE
    style = discord.ButtonStyle.success

    async def press(self, interaction: Asked) -> None:
        """Stop listening to the member in this channel."""
        await touch(interaction)
        bot, dataset = interaction.client, await self.dataset(interaction)
        channel = interaction.channel_id or 0
        await bot.store.datasets.set_collecting(dataset.owner, channel, None)
        photos = await bot.store.photos.list_for(dataset.id, dataset.owner)
        await describe(bot, dataset, channel, [photo for photo in photos if not photo.caption])
        card = await dataset_card(bot, dataset)
        await show(interaction, card.put(text(wording.dataset.COLLECT_DONE)))
