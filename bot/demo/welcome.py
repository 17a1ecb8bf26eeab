"""The demo's first card: one press trains on ten pictures of the mascot."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import discord

from bot import wording
from bot.actions import training
from bot.actions.order import TrainingOrder
from bot.actions.permissions import refusing_duplicates
from bot.bot import Bot, Interaction
from bot.card import Card
from bot.cards.components import Button, defer, edit, row, text
from bot.demo.mascot import CAPTIONS, SHEET, picture_files
from bot.wording import say
from storage.errors import UserError
from storage.records import Concept, Dataset

NAME = "Glim"
COLOUR = 0xF2352F
#: More than the balanced dial: pictures so unlike emoji need it. Two cores take 80 seconds.
STEPS, RANK, RATE = 480, 32, 2e-3


class TrainMascot(Button, verb="demo:mascot"):
    """Do what `/dataset new`, `/dataset add` and `/train lora` do, in one press."""

    label, style = wording.demo.TRAIN_MASCOT, discord.ButtonStyle.success

    async def press(self, interaction: Interaction) -> None:
        """Create the presser's dataset of the mascot and train on it."""
        with refusing_duplicates(interaction, self.verb):
            await defer(interaction)
            bot, guild = interaction.client, interaction.guild_id or 0
            channel = interaction.channel_id or 0
            dataset = await get_mascot_dataset(bot, interaction.user.id, guild)
            order = TrainingOrder(
                dataset.id,
                "lora",
                bot.settings.default_base,
                steps=self.number(0),
                rank=RANK,
                learning_rate=RATE,
            )
            preview = await training.preview_training(bot, order, dataset.owner, guild)
            job = await training.queue_training(bot, preview, guild, channel)
            await bot.jobs.show(job.id)
            said = say(wording.training.STARTED, name=dataset.name, job=job.id)
            await edit(interaction, Card(text(said)))


async def get_mascot_dataset(bot: Bot, owner: int, guild: int) -> Dataset:
    """Return a member's dataset of the mascot; create it if it is not there."""
    with suppress(UserError):
        return await bot.store.datasets.get_by_name(owner, NAME)
    dataset = await bot.store.datasets.create(owner, guild, NAME, Concept.SUBJECT)
    for picture in picture_files():
        checked = await bot.darkroom.check(await asyncio.to_thread(picture.read_bytes))
        photo = await bot.store.photos.add(dataset, checked)
        said = wording.fill(CAPTIONS[picture.stem], word=dataset.trigger)
        await bot.store.photos.set_caption(photo.id, owner, said)
    return dataset


def welcome_card(steps: int) -> Card:
    """Return the card that introduces Safelight, with the mascot and the button."""
    card = Card(text(wording.demo.WELCOME), colour=COLOUR)
    card.add_gallery([(SHEET, wording.demo.WELCOME_ALT)])
    return card.add(row(TrainMascot(steps)))


async def post_welcome(bot: Bot, room: discord.PartialMessageable, steps: int) -> None:
    """Post the welcome card in a channel, with a button that trains for so many steps."""
    bot.add_controls(TrainMascot)
    card = welcome_card(steps)
    await room.send(view=card, files=card.open_files())
