"""The consent card: what a member agrees to before any photo of theirs is stored."""

from __future__ import annotations

import discord

from bot import wording
from bot.bot import Interaction
from bot.card import Card
from bot.cards.agreement import make_terms, record_consent
from bot.cards.collecting import start_collecting
from bot.cards.components import Button, defer_update, edit, row, text
from bot.cards.dataset import add_photos
from bot.cards.keep import Keep
from storage.records import Dataset

ADD, COLLECT = 0, 1  #: what goes on once the member has agreed


async def consent_card(interaction: Interaction, dataset: Dataset, then: int) -> Card:
    """Return a card with the terms and buttons to agree or decline."""
    terms = await make_terms(interaction.client, interaction.user.id, dataset)
    return Card(
        text(wording.consent.TITLE, terms.text, wording.consent.MORE),
        row(Agree(dataset.id, then), Decline(dataset.id)),
    )


class Decline(Keep, verb="consent:decline"):
    """Drop the files that waited for the consent."""

    label = wording.consent.DECLINE

    async def press(self, interaction: Interaction) -> None:
        """Drop the files, and confirm that nothing was changed."""
        interaction.client.awaiting_consent.pop((interaction.user.id, self.number(0)), None)
        await super().press(interaction)


class Agree(Button, verb="consent:agree"):
    """Record the consent and continue with what the member wanted."""

    label = wording.consent.AGREE
    style = discord.ButtonStyle.success

    async def press(self, interaction: Interaction) -> None:
        """Record the consent, then start collecting or add the waiting files."""
        await defer_update(interaction)
        dataset = await interaction.client.store.contributors.get_open(
            self.number(0), interaction.user.id
        )
        await record_consent(interaction, "button", dataset)
        if self.number(1) == COLLECT:
            await edit(interaction, await start_collecting(interaction, dataset))
            return
        files = interaction.client.awaiting_consent.pop((interaction.user.id, dataset.id), None)
        late = Card(text(wording.consent.LATE))
        await edit(interaction, await add_photos(interaction, dataset, files) if files else late)
