"""The card with a link to the upload page, and the button that shows it."""

from __future__ import annotations

from discord import ui

from bot import wording
from bot.bot import Interaction
from bot.card import Card
from bot.cards.components import defer_update, follow_up, row, text
from bot.cards.dataset_button import DatasetButton
from bot.wording import say
from storage.errors import UserError
from storage.records import Dataset


def upload_card(interaction: Interaction, dataset: Dataset) -> Card:
    """Return a card with a new link to the upload page; raise UserError if there is no page."""
    link = interaction.client.web.upload_link(dataset, interaction.user.id)
    if link is None:
        raise UserError("upload_unset")
    said = say(wording.upload.CARD, name=dataset.name, until=link.until)
    return Card(text(said), row(ui.Button(label=wording.upload.OPEN, url=link.url)))


class Upload(DatasetButton, verb="dataset:upload"):
    """Show a link to the upload page in a new message."""

    label = wording.upload.LABEL

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        contributors = interaction.client.store.contributors
        dataset = await contributors.get_open(self.number(0), interaction.user.id)
        await follow_up(interaction, upload_card(interaction, dataset))
