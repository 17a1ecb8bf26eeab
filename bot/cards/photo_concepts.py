"""A photo that belongs to several datasets, and so to several concepts."""

from __future__ import annotations

from dataclasses import dataclass

import discord

from bot import wording
from bot.bot import Bot, Interaction
from bot.card import Card
from bot.cards.components import Select, defer_update, follow_up, row, text
from bot.wording import fill, flatten, join_words, say
from storage.records import Dataset, Photo

MAX_CHOICES = 25  #: of a select
MAX_NAME_CHARS = 100


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The other datasets of a dataset's owner, and which of its photos are in them, too."""

    others: dict[int, Dataset]
    found: dict[str, list[int]]  #: by the photos' digests

    @classmethod
    async def load(cls, bot: Bot, dataset: int, owner: int) -> Elsewhere:
        """Return where else the photos of a dataset are."""
        others = await bot.store.datasets.list_for(owner)
        found = await bot.store.photos.list_elsewhere(dataset, owner)
        return cls({each.id: each for each in others if each.id != dataset}, found)

    def explain(self, photo: Photo) -> str:
        """Return where else a photo is, in plain text; "" if it is nowhere else."""
        names = [self.others[each].name for each in self.found.get(photo.digest, ())]
        return fill(wording.dataset.ALSO_HERE, names=join_words(names)) if names else ""

    def list_choices(self, photo: Photo) -> list[tuple[str, int]]:
        """Return names and ids of the datasets that a photo can be put into, too."""
        if photo.contributor != photo.owner:
            return []
        left = [each for each in self.others if each not in self.found.get(photo.digest, ())]
        return [(flatten(self.others[each].name, MAX_NAME_CHARS), each) for each in left][
            :MAX_CHOICES
        ]


async def add_concepts(bot: Bot, card: Card, photo: Photo) -> None:
    """Add to a photo's card the other datasets it is in, and a select of those it may be in."""
    elsewhere = await Elsewhere.load(bot, photo.dataset, photo.owner)
    if said := elsewhere.explain(photo):
        card.add(text(wording.escape(said)))
    choices = elsewhere.list_choices(photo)
    if choices:
        options = [discord.SelectOption(label=name, value=str(each)) for name, each in choices]
        card.add(row(AlsoIn(photo.id, options=options)))


async def put_into(bot: Bot, photo: Photo, other_id: int) -> str:
    """Have a photo in another dataset of its owner's, too, and say so."""
    dataset = await bot.store.datasets.get(photo.dataset, photo.owner)
    other = await bot.store.datasets.get(other_id, photo.owner)
    await bot.store.photos.copy(photo.id, other)
    return say(
        wording.dataset.ALSO_ADDED, name=other.name, trigger=dataset.trigger, other=other.trigger
    )


class AlsoIn(Select, verb="photo:also"):
    """Have the photo in another dataset, too."""

    placeholder = wording.dataset.ALSO_IN

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        bot = interaction.client
        photo = await bot.store.photos.get(self.number(0), interaction.user.id)
        said = await put_into(bot, photo, self.chosen_number)
        await follow_up(interaction, Card(text(said)))
