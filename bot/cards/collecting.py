"""The card of a collection: photos that a member posts as messages, until Done."""

from __future__ import annotations

import discord

from bot import wording
from bot.actions.photos import queue_captions
from bot.bot import Interaction
from bot.card import Card
from bot.cards.components import defer_update, edit, row, text
from bot.cards.dataset import DatasetButton, dataset_card
from bot.wording import say
from storage.errors import UserError
from storage.records import Dataset


async def start_collecting(interaction: Interaction, dataset: Dataset) -> Card:
    """Start collecting what the member posts in this channel; return the card with Done."""
    bot, channel = interaction.client, interaction.channel_id
    if not bot.settings.collect_messages or channel is None:
        raise UserError("collect_off")
    await bot.store.datasets.set_collecting(interaction.user.id, channel, dataset.id)
    return Card(text(say(wording.dataset.COLLECT_ON, name=dataset.name)), row(Done(dataset.id)))


class Done(DatasetButton, verb="collect:done"):
    """Stop collecting and caption the new photos."""

    label = wording.dataset.DONE
    style = discord.ButtonStyle.success

    async def press(self, interaction: Interaction) -> None:
        """Stop listening to the member in this channel."""
        await defer_update(interaction)
        bot, dataset = interaction.client, await self.get_dataset(interaction)
        channel = interaction.channel_id or 0
        await bot.store.datasets.set_collecting(dataset.owner, channel, None)
        photos = await bot.store.photos.list_for(dataset.id, dataset.owner)
        await queue_captions(
            bot, dataset, channel, [photo for photo in photos if not photo.caption]
        )
        card = await dataset_card(bot, dataset)
        await edit(interaction, card.add(text(wording.dataset.COLLECT_DONE)))
