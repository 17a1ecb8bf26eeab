"""Photos from a member's messages: the card of a collection, and the form for one message."""

from __future__ import annotations

from typing import Any

import discord
from discord import ui

from bot import wording
from bot.actions.photos import queue_captions
from bot.bot import Interaction
from bot.card import Card
from bot.cards.agreement import PhotosForm, has_agreed, make_terms
from bot.cards.components import defer, defer_update, edit, open_modal, parse_id, row, text
from bot.cards.dataset import add_photos, dataset_card
from bot.cards.dataset_button import DatasetButton
from bot.wording import flatten, say
from storage.errors import UserError
from storage.records import Dataset

MAX_OPTIONS = 25  #: of a select


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


async def open_message_form(interaction: Interaction, message: discord.Message) -> None:
    """Open the form that adds the photos of a message; raise UserError if it is another's."""
    if message.author.id != interaction.user.id:
        raise UserError("photos_foreign")
    if not message.attachments:
        raise UserError("photos_missing")
    datasets = await interaction.client.store.datasets.list_for(interaction.user.id)
    if not datasets:
        raise UserError("datasets_none")
    form = MessageForm(message.attachments, datasets[:MAX_OPTIONS])
    if not await has_agreed(interaction):
        form.ask_consent(await make_terms(interaction.client, interaction.user.id))
    await open_modal(interaction, form)


class MessageForm(PhotosForm):
    """A form that adds the photos of a message to one of the member's datasets."""

    def __init__(self, files: list[discord.Attachment], datasets: list[Dataset]) -> None:
        super().__init__(title=wording.dataset.MENU_ADD)
        self.files = files
        options = [
            discord.SelectOption(
                label=flatten(each.name, 100), value=str(each.id), default=each is datasets[0]
            )
            for each in datasets
        ]
        self.dataset: ui.Select[Any] = ui.Select(custom_id="dataset", options=options)
        self.add_field(wording.dataset.MENU_LABEL, self.dataset)

    async def submit(self, interaction: Interaction) -> None:
        """Record the consent and add the photos to the dataset that was chosen."""
        await defer(interaction)
        await self.require_consent(interaction)
        store, chosen = interaction.client.store, parse_id(self.dataset.values[0])
        dataset = await store.datasets.get(chosen, interaction.user.id)
        await edit(interaction, await add_photos(interaction, dataset, self.files))
