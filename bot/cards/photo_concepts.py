"""A photo that belongs to several datasets, and so to several concepts."""

from __future__ import annotations

import discord

from bot import wording
from bot.bot import Bot, Interaction
from bot.card import Card
from bot.cards.components import Select, defer_update, follow_up, row, text
from bot.wording import flatten, say
from storage.records import Photo

MAX_CHOICES = 25  #: of a select


async def add_concepts(bot: Bot, card: Card, photo: Photo) -> None:
    """Add a select of the owner's other datasets to a photo's card, if it may be in them."""
    datasets = await bot.store.datasets.list_for(photo.owner)
    options = [
        discord.SelectOption(label=flatten(each.name, 100), value=str(each.id))
        for each in datasets
        if each.id != photo.dataset
    ]
    if options and photo.contributor == photo.owner:
        card.add(row(AlsoIn(photo.id, options=options[:MAX_CHOICES])))


class AlsoIn(Select, verb="photo:also"):
    """Have the photo in another dataset, too."""

    placeholder = wording.dataset.ALSO_IN

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        store, owner = interaction.client.store, interaction.user.id
        photo = await store.photos.get(self.number(0), owner)
        dataset = await store.datasets.get(photo.dataset, owner)
        other = await store.datasets.get(self.chosen_number, owner)
        await store.photos.copy(photo.id, other)
        said = say(
            wording.dataset.ALSO_ADDED,
            name=other.name,
            trigger=dataset.trigger,
            other=other.trigger,
        )
        await follow_up(interaction, Card(text(said)))
