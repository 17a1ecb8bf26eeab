"""What is stored about a member: its card, the copy of it, and its deletion."""

from __future__ import annotations

from functools import partial

import discord

from bot import wording
from bot.actions.export import export_member
from bot.actions.permissions import refusing_duplicates
from bot.bot import Interaction
from bot.card import Card
from bot.cards.agreement import make_terms, record_consent
from bot.cards.components import Button, defer, defer_update, edit, row, text
from bot.cards.export import send_zips
from bot.cards.keep import Keep
from bot.cards.staying import read_staying
from bot.cards.withdrawal import ALL, AskWithdraw
from bot.wording import fill, format_count, say
from storage.tables.consents import Receipt

MAX_RECEIPTS = 10  #: on the card; the export has all
REMOVE, LEAVE = 0, 1  #: what becomes of styles shared with servers


async def me_card(interaction: Interaction) -> Card:
    """Return a card of what is stored about the member."""
    store, member = interaction.client.store, interaction.user.id
    datasets = await store.datasets.list_for(member)
    photos = (await store.withdrawals.preview(member)).photos  # also those in others' datasets
    counts = say(
        wording.member.COUNTS,
        datasets=format_count(len(datasets), "dataset"),
        photos=format_count(photos, "photo"),
        styles=format_count(len(await store.styles.list_for(member)), "style"),
    )
    receipts = await store.consents.list_for(member)
    said = receipt_lines(receipts) or [wording.member.NO_CONSENT]
    given = any(receipt.withdrawn is None for receipt in receipts)
    buttons = [Export(), *([AskWithdraw(ALL)] if given else []), Erase()]
    joined = [dataset.name for dataset in await store.contributors.list_joined(member)]
    template = wording.contribution.ME if joined else ""
    said.append(say(template, names=joined[:MAX_RECEIPTS]))
    quota = await quota_line(interaction)
    stays = await read_staying(store, member)
    if stays is not None:
        buttons.insert(1, Stay(int(not stays), label=wording.member.STAY_LABELS[not stays]))
        said.append(wording.member.STAYS if stays else wording.member.MAY_LEAVE)
    return Card(text(wording.member.TITLE, counts, quota, *said), row(*buttons))


async def quota_line(interaction: Interaction) -> str:
    """Return how many of the day's trainings are used; nothing outside a server."""
    store, guild = interaction.client.store, interaction.guild_id
    if guild is None:
        return ""
    used = await store.jobs.count_recent_trainings(interaction.user.id, guild)
    limit = (await store.servers.get(guild)).jobs
    template = (
        wording.member.TRAININGS_TODAY if limit else wording.member.TRAININGS_TODAY_UNLIMITED
    )
    return say(template, used=used, limit=limit)


def receipt_lines(receipts: list[Receipt]) -> list[str]:
    """Return what the member agreed to, when, and when they took it back; the newest."""
    lines = []
    for receipt in receipts[-MAX_RECEIPTS:]:
        template = wording.member.CONSENT_WITHDRAWN if receipt.withdrawn else ""
        back = say(template, when=int(receipt.withdrawn or 0))
        version, when = receipt.version, int(receipt.at)
        if receipt.dataset is None:
            lines.append(fill(wording.member.CONSENT, version=version, when=when, withdrawn=back))
        else:
            facts = {"number": receipt.dataset, "when": when, "withdrawn": back}
            lines.append(fill(wording.member.CONSENT_SHARED, **facts))
    return lines


async def erase_card(interaction: Interaction) -> Card:
    """Return a card that asks for confirmation, and what becomes of shared styles."""
    store, member = interaction.client.store, interaction.user.id
    photos = (await store.withdrawals.preview(member)).photos
    shared = [style for style in await store.styles.list_for(member) if style.shared]
    card = Card(text(say(wording.member.ERASE_ASK, photos=format_count(photos, "photo"))))
    if not shared:
        return card.add(row(EraseForGood(REMOVE), Keep()))
    card.add(text(say(wording.member.ERASE_SHARED, styles=format_count(len(shared), "style"))))
    nameless = EraseForGood(LEAVE, label=wording.member.ERASE_LEAVE)
    return card.add(row(EraseForGood(REMOVE, label=wording.member.ERASE_REMOVE), nameless, Keep()))


class Export(Button, verb="me:export"):
    """Send the member a copy of everything."""

    label = wording.member.EXPORT

    async def press(self, interaction: Interaction) -> None:
        """Send the copy in as many files as it needs."""
        with refusing_duplicates(interaction, self.verb):
            await defer(interaction)
            store, member = interaction.client.store, interaction.user.id
            write = partial(export_member, store, member)
            await send_zips(interaction, wording.member.EXPORTED, write)


class Stay(Button, verb="me:stay"):
    """Say whether the member's photos stay on the main machine."""

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        staying, member = interaction.client.store.staying, interaction.user.id
        await staying.set(member, stays=bool(self.number(0)))
        asks = not self.number(0) and await staying.agreed_here(member)
        await edit(interaction, await (machines_card if asks else me_card)(interaction))


async def machines_card(interaction: Interaction) -> Card:
    """Return a card that asks to agree anew, now that photos may go to other machines."""
    terms = await make_terms(interaction.client, interaction.user.id)
    words = wording.consent
    return Card(
        text(words.TITLE_MACHINES, terms.text, words.MORE),
        row(AgreeMachines(), Stay(1, label=wording.member.STAY_LABELS[True])),
    )


class AgreeMachines(Button, verb="me:machines"):
    """Record that the member agreed to the terms with other machines."""

    label = wording.consent.AGREE
    style = discord.ButtonStyle.success

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        await record_consent(interaction, "button")
        await edit(interaction, await me_card(interaction))


class Erase(Button, verb="me:erase"):
    """Ask for confirmation before everything is deleted."""

    label = wording.member.ERASE
    style = discord.ButtonStyle.danger

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        await edit(interaction, await erase_card(interaction))


class EraseForGood(Button, verb="me:gone"):
    """Delete everything about the member."""

    label = wording.member.ERASE
    style = discord.ButtonStyle.danger

    async def press(self, interaction: Interaction) -> None:
        with refusing_duplicates(interaction, self.verb):
            await defer_update(interaction)
            keep, member = self.number(0) == LEAVE, interaction.user.id
            for waiting in [
                key for key in interaction.client.awaiting_consent if key[0] == member
            ]:
                del interaction.client.awaiting_consent[waiting]
            photos = await interaction.client.store.members.erase(member, keep_styles=keep)
            template = wording.member.ERASED_STYLES_LEFT if keep else wording.member.ERASED
            said = say(template, photos=format_count(photos, "photo"))
            await edit(interaction, Card(text(said)))
