"""Forms that take photos: they ask for consent only until it is given."""

from __future__ import annotations

from typing import Any

import discord
from discord import ui

from bot import wording
from bot.bot import Interaction
from bot.cards.components import Form
from storage.errors import UserError


async def has_agreed(interaction: Interaction) -> bool:
    """Return whether the member agreed to the present terms."""
    members = interaction.client.store.members
    return await members.has_consented(interaction.user.id, wording.CONSENT)


async def record_consent(interaction: Interaction, via: str) -> None:
    """Record that the member agreed to the present terms, unless that is known."""
    if not await has_agreed(interaction):
        members = interaction.client.store.members
        await members.add_consent(interaction.user.id, wording.CONSENT, via)


class PhotosForm(Form):
    """A form that takes photos; to members who have yet to agree, it shows the terms."""

    consent: ui.CheckboxGroup[Any] | None = None  #: none if the member agreed before

    def ask_consent(self) -> None:
        """Add the terms, with a box to tick."""
        tick = discord.CheckboxGroupOption(
            label=wording.consent.TICK, value="yes", description=wording.consent.TICK_MORE
        )
        self.consent = ui.CheckboxGroup(
            custom_id="consent", options=[tick], min_values=1, max_values=1
        )
        self.add_field(wording.consent.LABEL, self.consent)
        self.add_item(ui.TextDisplay(f"{wording.consent.TERMS}\n{wording.consent.MORE}"))

    async def require_consent(self, interaction: Interaction) -> None:
        """Record the consent; raise UserError if none was given, here or before."""
        if self.consent is not None and self.consent.values:
            await record_consent(interaction, "form")
        elif self.consent is not None or not await has_agreed(interaction):
            raise UserError("consent_needed")
