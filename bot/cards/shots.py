"""The card of photos of the same shot: all stay, unless their owner keeps only the best."""

from __future__ import annotations

import discord

from bot import wording
from bot.bot import Bot, Interaction
from bot.card import Card
from bot.cards.components import defer_update, edit, follow_up, row, text
from bot.cards.dataset_button import DatasetButton
from bot.wording import fill, format_count, say
from bot.wording.verdicts import join_names
from storage.planning.verdicts import group_shots, pick_best
from storage.records import Dataset, Photo

MAX_SHOWN_GROUPS = 20


async def list_photos(bot: Bot, dataset: Dataset) -> list[Photo]:
    """Return the photos of a dataset."""
    return await bot.store.photos.list_for(dataset.id, dataset.owner)


def find_spare(photos: list[Photo]) -> list[Photo]:
    """Return the photos of which there is a better one of the same shot, and that are not kept."""
    return [
        photos[at]
        for group in group_shots(photos)
        for at in group
        if at != pick_best(photos, group) and not photos[at].accepted
    ]


def explain_spare(photos: list[Photo]) -> str:
    """Return what can be kept of photos of the same shot."""
    return say(wording.verdicts.SHOTS_ASK, spare=format_count(len(find_spare(photos)), "photo"))


async def keep_best(bot: Bot, dataset: Dataset) -> str:
    """Remove all photos of each shot but the best, and say so."""
    spare = find_spare(await list_photos(bot, dataset))
    for photo in spare:
        await bot.store.photos.remove(photo.id, dataset.owner)
    return say(wording.verdicts.KEPT_BEST, removed=format_count(len(spare), "photo"))


async def keep_all(bot: Bot, dataset: Dataset) -> str:
    """Keep all photos against advice, and say so."""
    for photo in find_spare(await list_photos(bot, dataset)):
        await bot.store.photos.accept(photo.id, dataset.owner)
    return wording.verdicts.KEPT_ALL


def shots_card(dataset: Dataset, photos: list[Photo]) -> Card:
    """Return the card of the photos of the same shot, with the best of each."""
    names, groups = wording.verdicts.name_photos(len(photos)), group_shots(photos)
    lines = [
        fill(
            wording.verdicts.SHOT,
            photos=join_names([names[at] for at in group]).capitalize(),
            best=names[pick_best(photos, group)],
        )
        for group in groups[:MAX_SHOWN_GROUPS]
    ]
    card = Card(
        text(say(wording.verdicts.SHOTS_TITLE, name=dataset.name), explain_spare(photos), *lines)
    )
    buttons = KeepBest(dataset.id, disabled=not find_spare(photos)), KeepAll(dataset.id)
    return card.add(row(*buttons))


class OpenShots(DatasetButton, verb="shots:open"):
    """Show the photos of the same shot in a new message."""

    label = wording.verdicts.OPEN_SHOTS

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        dataset = await self.get_dataset(interaction)
        photos = await list_photos(interaction.client, dataset)
        await follow_up(interaction, shots_card(dataset, photos))


class KeepBest(DatasetButton, verb="shots:best"):
    """Remove all photos of a shot but the best."""

    label, style = wording.verdicts.KEEP_BEST, discord.ButtonStyle.danger

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        said = await keep_best(interaction.client, await self.get_dataset(interaction))
        await edit(interaction, Card(text(said)))


class KeepAll(DatasetButton, verb="shots:all"):
    """Keep all photos against advice."""

    label = wording.verdicts.KEEP_ALL

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        said = await keep_all(interaction.client, await self.get_dataset(interaction))
        await edit(interaction, Card(text(said)))
