"""Datasets that several members add to: the invitation, and the card of one's own photos there."""

from __future__ import annotations

from itertools import starmap

import discord

from bot import wording
from bot.actions.framing import Crops
from bot.bot import Interaction
from bot.card import Card
from bot.cards.components import Button, Select, defer, defer_update, edit, row, text
from bot.cards.dataset import open_add_form
from bot.cards.dataset_text import PHOTOS_PER_PAGE, photo_option
from bot.cards.photo_gallery import add_photo_gallery
from bot.cards.upload_link import Upload
from bot.cards.withdrawal import AskWithdraw
from bot.wording import format_count, say
from storage.records import Dataset

MAX_OPTIONS = 25  #: of a select


def invitation_card(dataset: Dataset, member: int) -> Card:
    """Return the card that invites a member to add photos to another's dataset."""
    said = say(
        wording.contribution.INVITATION, owner=dataset.owner, name=dataset.name, member=member
    )
    return Card(
        text(said, wording.contribution.INVITATION_MORE), row(Join(dataset.id), Refuse(dataset.id))
    )


def removed_card(dataset: Dataset, member: int, photos: int) -> Card:
    """Return the card that says that a member was taken out of a dataset."""
    count = format_count(photos, "photo")
    said = say(wording.contribution.REMOVED, member=member, name=dataset.name, photos=count)
    return Card(text(said))


async def contribution_card(interaction: Interaction, dataset: Dataset) -> Card:
    """Return the card of a member's photos in another's dataset, the newest of them."""
    bot, member = interaction.client, interaction.user.id
    stored = await bot.store.photos.list_for(dataset.id, dataset.owner)
    own = [photo for photo in stored if photo.contributor == member]
    photos = format_count(len(own), "photo")
    card = Card(text(say(wording.contribution.TITLE, name=dataset.name, photos=photos)))
    card.add(text(say(wording.contribution.OWNED, owner=dataset.owner)))
    shown = list(enumerate(own, 1))[-PHOTOS_PER_PAGE:]
    if shown:
        await add_photo_gallery(bot, card, dataset, shown, Crops(None))
        options = list(starmap(photo_option, enumerate(own, 1)))[-MAX_OPTIONS:]
        card.add(row(RemoveOwn(dataset.id, options=options)))
    upload = [Upload(dataset.id)] if bot.web.public else []
    return card.add(row(AddToShared(dataset.id), *upload, AskWithdraw(dataset.id)))


class Join(Button, verb="share:join"):
    """Open the form for photos, with the terms of another member's dataset."""

    label = wording.contribution.JOIN
    style = discord.ButtonStyle.primary

    async def press(self, interaction: Interaction) -> None:
        member, contributors = interaction.user.id, interaction.client.store.contributors
        dataset = await contributors.get_invited(self.number(0), member)
        await open_add_form(interaction, dataset)


class AddToShared(Join, verb="share:add"):
    """Open the form for more photos."""

    label = wording.dataset.ADD_PHOTOS


class Refuse(Button, verb="share:refuse"):
    """Decline an invitation."""

    label = wording.consent.DECLINE

    async def press(self, interaction: Interaction) -> None:
        """Remember it, and tell the member alone; photos that are there stay."""
        await defer(interaction)
        member, contributors = interaction.user.id, interaction.client.store.contributors
        dataset = await contributors.get_invited(self.number(0), member)
        await contributors.decline(dataset.id, member)
        await edit(interaction, Card(text(wording.contribution.DECLINED)))


class RemoveOwn(Select, verb="share:remove"):
    """Remove one of the member's photos from another's dataset."""

    placeholder = wording.contribution.REMOVE

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        store, member = interaction.client.store, interaction.user.id
        dataset = await store.contributors.get_invited(self.number(0), member)
        await store.photos.remove(self.chosen_number, member)
        await edit(interaction, await contribution_card(interaction, dataset))
