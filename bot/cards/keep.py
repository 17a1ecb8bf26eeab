"""The button of a question that changes nothing."""

from __future__ import annotations

from bot import wording
from bot.bot import Interaction
from bot.card import Card
from bot.cards.components import Button, defer_update, edit, text


class Keep(Button, verb="card:keep"):
    """Change nothing, and confirm it."""

    label = wording.dataset.KEEP

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        await edit(interaction, Card(text(wording.dataset.UNCHANGED)))
