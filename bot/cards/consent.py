"""The consent card: what a member agrees to before any photo of theirs is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord

from bot import wording
from bot.cards.collecting import begin
from bot.cards.components import Card, row, show, text, touch
from bot.cards.dataset import Keep, Owned, put

if TYPE_CHECKING:
    from bot.cards.components import Asked
    from storage.records import Dataset

ADD, COLLECT = 0, 1  #: what goes on once the member has agreed


def consent_card(dataset: Dataset, then: int) -> Card:
    """Lay out the terms with a button to agree."""
    return Card(
        text(wording.consent.TITLE, wording.consent.TERMS, wording.consent.MORE),
        row(Agree(dataset.id, then), Decline(dataset.id)),
    )


async def agreed(interaction: Asked) -> bool:
    """Tell whether the member agreed to the terms as they are now."""
    members = interaction.client.store.members
    return await members.has_consented(interaction.user.id, wording.CONSENT)


class Decline(Keep, verb="consent:decline"):
    """Let go what waited for the consent."""

    label = wording.consent.DECLINE

    async def press(self, interaction: Asked) -> None:
        """Forget the files, and say that nothing was changed."""
        interaction.client.waiting.pop((interaction.user.id, self.numbers[0]), None)
        await super().press(interaction)


class Agree(Owned, verb="consent:agree"):
    """Record the consent and go on with what the member wanted."""

    label = wording.consent.AGREE
    style = discord.ButtonStyle.success

    async def press(self, interaction: Asked) -> None:
        """Go on where the consent was missing."""
        await touch(interaction)
        dataset = await self.dataset(interaction)
        if not await agreed(interaction):
            members = interaction.client.store.members
            await members.add_consent(interaction.user.id, wording.CONSENT, "button")
        if self.numbers[1] == COLLECT:
            await show(interaction, await begin(interaction, dataset))
            return
        files = interaction.client.waiting.pop((interaction.user.id, dataset.id), None)
        late = Card(text(wording.consent.LATE))
        await show(interaction, await put(interaction, dataset, files) if files else late)
