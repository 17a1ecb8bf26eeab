"""The cards by which a member takes back their consent, for all photos or for one dataset."""

from __future__ import annotations

import discord

from bot import wording
from bot.actions.permissions import refusing_duplicates
from bot.bot import Interaction
from bot.card import Card
from bot.cards.components import Button, defer_update, edit, row, text
from bot.cards.keep import Keep
from bot.wording import format_count, say
from storage.tables.withdrawal import Loss

KEEP_STYLES, DELETE_STYLES = 0, 1  #: what becomes of styles that were trained on the photos
ALL = 0  #: in place of a dataset's id


async def withdraw_card(interaction: Interaction, dataset: int = ALL) -> Card:
    """Return a card that says what a withdrawal takes, and asks for confirmation."""
    withdrawals, member = interaction.client.store.withdrawals, interaction.user.id
    loss = await withdrawals.preview(member, dataset or None)
    title = wording.consent.WITHDRAW_SHARED if dataset else wording.consent.WITHDRAW
    card = Card(text(title, *loss_lines(loss)))
    if not loss.styles:
        return card.add(row(Withdraw(dataset, KEEP_STYLES), Keep()))
    styles = format_count(loss.styles, "style")
    card.add(text(say(wording.consent.WITHDRAW_STYLES, styles=styles)))
    with_styles = Withdraw(dataset, DELETE_STYLES, label=wording.consent.DELETE_STYLES)
    without = Withdraw(dataset, KEEP_STYLES, label=wording.consent.KEEP_STYLES)
    return card.add(row(with_styles, without, Keep()))


def loss_lines(loss: Loss) -> list[str]:
    """Return what goes with a member's photos, and what would be left to train on."""
    photos = format_count(loss.photos, "photo")
    lines = [say(wording.consent.WITHDRAW_PHOTOS, photos=photos)]
    if loss.left:
        lines.append(say(wording.consent.WITHDRAW_LEFT, left=format_count(loss.left, "photo")))
    if loss.jobs:
        lines.append(say(wording.consent.WITHDRAW_JOBS, jobs=format_count(loss.jobs, "job")))
    return [*lines, wording.consent.WITHDRAW_BACKUPS]


class AskWithdraw(Button, verb="consent:back"):
    """Ask for confirmation before a consent is withdrawn."""

    label = wording.consent.TAKE_BACK

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        await edit(interaction, await withdraw_card(interaction, self.number(0)))


class Withdraw(Button, verb="consent:withdraw"):
    """Withdraw the member's consent, and delete what it was for."""

    label = wording.consent.TAKE_BACK
    style = discord.ButtonStyle.danger

    async def press(self, interaction: Interaction) -> None:
        with refusing_duplicates(interaction, self.verb):
            await defer_update(interaction)
            client, member, dataset = interaction.client, interaction.user.id, self.number(0)
            for key in [each for each in client.awaiting_consent if each[0] == member]:
                if dataset in {ALL, key[1]}:
                    del client.awaiting_consent[key]
            styles = self.number(1) == DELETE_STYLES
            loss = await client.store.withdrawals.withdraw(
                member, dataset or None, delete_styles=styles
            )
            photos = format_count(loss.photos, "photo")
            said = say(wording.consent.WITHDRAWN, photos=photos)
            gone = format_count(loss.styles, "style")
            more = say(wording.consent.WITHDRAWN_STYLES, styles=gone)
            await edit(interaction, Card(text(said, more if styles and loss.styles else "")))
