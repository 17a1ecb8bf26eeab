"""The card that asks before a dataset is deleted, and about the styles that were trained on it."""

from __future__ import annotations

import discord

from bot import wording
from bot.bot import Interaction
from bot.card import Card
from bot.cards.components import defer_update, edit, row, text
from bot.cards.dataset_button import DatasetButton
from bot.cards.keep import Keep
from bot.wording import format_count, say
from storage.records import Dataset

KEEP_STYLES, DELETE_STYLES = 0, 1  #: what becomes of styles that were trained on a dataset


def delete_card(dataset: Dataset, photos: int, styles: int) -> Card:
    """Return a card that asks for confirmation, and what becomes of styles."""
    question = say(
        wording.dataset.DELETE_ASK, name=dataset.name, photos=format_count(photos, "photo")
    )
    if not styles:
        return Card(text(question), row(Delete(dataset.id, KEEP_STYLES), Keep()))
    more = say(wording.dataset.DELETE_STYLES_ASK, styles=format_count(styles, "style"))
    without = Delete(dataset.id, KEEP_STYLES, label=wording.dataset.KEEP_STYLES)
    with_styles = Delete(dataset.id, DELETE_STYLES, label=wording.dataset.DELETE_STYLES)
    return Card(text(question, more), row(with_styles, without, Keep()))


class Delete(DatasetButton, verb="dataset:delete"):
    """Delete the dataset, with the styles that were trained on it or without."""

    label = wording.dataset.DELETE
    style = discord.ButtonStyle.danger

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        store, dataset = interaction.client.store, await self.get_dataset(interaction)
        photos = format_count(len(await store.photos.list_for(dataset.id, dataset.owner)), "photo")
        styles = self.numbers[1:] == (DELETE_STYLES,)
        await store.datasets.delete(dataset.id, dataset.owner, delete_styles=styles)
        await edit(
            interaction, Card(text(say(wording.dataset.DELETED, name=dataset.name, photos=photos)))
        )
