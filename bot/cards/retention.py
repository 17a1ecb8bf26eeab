"""What members are told of datasets: one will be deleted unused, or photos were taken back."""

from __future__ import annotations

import time

import discord

from bot import wording
from bot.bot import Bot, Interaction
from bot.card import Card
from bot.cards.components import defer_update, edit, row, text
from bot.cards.dataset_button import DatasetButton
from bot.wording import format_count, say
from storage.errors import UserError
from storage.tables.posts import Post, PostKind
from storage.tables.retention import DAY_SECONDS, UnusedDataset, notice_days


async def dataset_notice(bot: Bot, post: Post) -> Card | None:
    """Return the card of a post about a dataset; None if there is nothing to tell any more."""
    store, number = bot.store, post.dataset or 0
    if post.kind is PostKind.UNUSED:
        found, days = await store.retention.find(number), bot.settings.unused_days
        return unused_card(found, post.member, days) if found and days else None
    try:
        dataset = await store.datasets.get(number, post.member)
    except UserError:  # it was deleted meanwhile
        return None
    photos = format_count(len(await store.photos.list_for(dataset.id, dataset.owner)), "photo")
    return Card(text(say(wording.retention.TAKEN_BACK, name=dataset.name, photos=photos)))


def unused_card(found: UnusedDataset, member: int, days: int) -> Card:
    """Return the warning that a dataset will be deleted; its owner can keep it."""
    dataset, unused = found.dataset, int((time.time() - found.used) / DAY_SECONDS)
    when = int(
        max(found.warned + notice_days(days) * DAY_SECONDS, found.used + days * DAY_SECONDS)
    )
    for_how_long = format_count(unused, "day")
    if member != dataset.owner:
        said = say(
            wording.retention.UNUSED_OTHERS,
            name=dataset.name,
            owner=dataset.owner,
            days=for_how_long,
            when=when,
        )
        return Card(text(said))
    photos = format_count(found.photos, "photo")
    facts = say(
        wording.retention.UNUSED, name=dataset.name, days=for_how_long, photos=photos, when=when
    )
    return Card(text(facts), row(KeepDataset(dataset.id)))


class KeepDataset(DatasetButton, verb="dataset:keep"):
    """Count a dataset as used."""

    label = wording.retention.KEEP
    style = discord.ButtonStyle.primary

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        dataset = await self.get_dataset(interaction)
        await interaction.client.store.retention.keep(dataset.id, dataset.owner)
        await edit(interaction, Card(text(say(wording.retention.KEPT, name=dataset.name))))
