"""The base of buttons for a dataset."""

from __future__ import annotations

from bot.bot import Interaction
from bot.cards.components import Button
from storage.records import Dataset


class DatasetButton(Button, verb=""):
    """A button for one of the presser's datasets, whose id is its first number."""

    async def get_dataset(self, interaction: Interaction) -> Dataset:
        """Return the presser's dataset; raise UserError for somebody else's."""
        return await interaction.client.store.datasets.get(self.number(0), interaction.user.id)
