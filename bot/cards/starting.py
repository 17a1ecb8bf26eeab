"""The buttons of an order of several trainings, such as a comparison: start it, or leave it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar, NamedTuple

import discord

from bot import wording
from bot.actions import channels
from bot.actions.permissions import check_role, refusing_duplicates
from bot.actions.training import Preview, list_unattested
from bot.bot import Interaction
from bot.card import Card
from bot.cards.components import Button, defer_update, edit, row, text
from bot.wording import fill, say


class CheckedOrder(NamedTuple):
    """An order that can be started."""

    first: Preview  #: one of its trainings, all of which have the same photos
    start: Callable[[int], Awaitable[object]]  #: takes the channel of its card


class StartOrder(Button):
    """Check an order once more, then start it; its card follows in the channel of trainings.

    People in the photos are asked about first, by the button that `attests` that they agree.
    """

    label, style = wording.comparison.START, discord.ButtonStyle.success
    started: ClassVar[str] = ""  #: what is said of it then
    attest: ClassVar[type[StartOrder]]
    attests: ClassVar[bool] = False

    async def check(self, interaction: Interaction) -> CheckedOrder:
        """Return the presser's order; raise UserError if it cannot be trained."""
        raise NotImplementedError

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        with refusing_duplicates(interaction, "train"):
            await check_role(interaction, "train")
            first, start = await self.check(interaction)
            if unattested := list_unattested(interaction.client, first):
                if not self.attests:
                    asked = text(say(wording.training.ATTEST_ASK, names=first.datasets[0].name))
                    await edit(interaction, Card(asked, row(self.attest(*self.numbers), Leave())))
                    return
                for each in unattested:
                    await interaction.client.store.datasets.attest(each.id, interaction.user.id)
            name, private = first.datasets[0].name, first.order.private
            channel = await channels.find_room(interaction, name, private=private)
            await start(channel)
            await edit(interaction, Card(text(fill(self.started, channel=channel))))


class Leave(Button, verb="compare:leave"):
    """Start nothing, and confirm it."""

    label = wording.comparison.NOT_NOW

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        await edit(interaction, Card(text(wording.comparison.NOT_STARTED)))
