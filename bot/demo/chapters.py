"""The demo's chapters after the first: one's own photos, sharing, a pair to guess, and a study."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import discord
from discord.ext import commands, tasks

from bot import wording
from bot.actions import sampling
from bot.actions.advice import Question
from bot.actions.studies import SideOrder, StudyOrder
from bot.bot import Bot, Interaction
from bot.card import Card
from bot.cards import style as styles
from bot.cards.advice import advice_card
from bot.cards.components import Button, defer, defer_update, edit, follow_up, row, text
from bot.cards.dataset import AddForm, open_add_form
from bot.cards.job import failure_sentence
from bot.cards.sample import recommend_prompts
from bot.cards.study import order_card
from bot.cards.upscaled import PictureCard
from bot.demo.welcome import COLOUR
from bot.wording import fill, say
from storage.errors import UserError
from storage.records import Concept, Job, Kind, Status, Style
from storage.requests import SampleRequest
from storage.store import Store

DATASET = "My photos"
PLACES = wording.demo.PLACES
STUDY_PROMPTS, STUDY_HOURS, STUDY_VOTERS = 2, 1, 12
LOOK_SECONDS = 1.0  #: between two looks for what has ended


@dataclass(frozen=True, slots=True)
class Pair:
    """Two jobs of one prompt and seed, in the order that is shown, and the message of them."""

    jobs: tuple[int, int]
    channel: discord.PartialMessageable
    message: int


class Chapters(commands.Cog):
    """Offers the chapters once a training has ended, and shows pairs once they are drawn."""

    def __init__(self, bot: Bot, channel: discord.PartialMessageable, guild: int) -> None:
        self.bot, self.channel, self.guild = bot, channel, guild
        self.offered = False
        self.pairs: list[Pair] = []
        self.loop = tasks.loop(seconds=LOOK_SECONDS)(self.look)

    async def cog_load(self) -> None:
        """Start looking."""
        self.bot.add_controls(AddOwnPhotos, ShareWithRobin, DrawPair, Guess, AskBlind)
        self.loop.start()

    async def cog_unload(self) -> None:
        """Stop looking."""
        self.loop.cancel()

    async def look(self) -> None:
        """Post what is due."""
        if not self.offered and (style := await find_first_style(self.bot.store, self.guild)):
            self.offered = True
            await self.channel.send(view=chapters_card(style))
        for pair in [*self.pairs]:
            with suppress(UserError):  # its owner has deleted everything
                await self.show(pair)

    async def show(self, pair: Pair) -> None:
        """Show a pair if both pictures are drawn."""
        jobs = [await self.bot.store.jobs.get(number) for number in pair.jobs]
        if all(job.status.ended for job in jobs):
            self.pairs.remove(pair)
            card = await asyncio.to_thread(pair_card, self.bot.store, jobs)
            message = pair.channel.get_partial_message(pair.message)
            await message.edit(view=card, attachments=card.open_files())


async def find_first_style(store: Store, guild: int) -> Style | None:
    """Return the style of the first training whose result is posted; None before that."""
    for job in reversed(await store.jobs.list_for_guild(guild)):
        if job.kind is Kind.TRAIN and await store.posts.find_result(job.id):
            with suppress(UserError):
                return await store.styles.get(job.style or 0, job.owner, guild)
    return None


def chapters_card(style: Style) -> Card:
    """Return the card that offers the chapters."""
    said = say(wording.demo.CHAPTERS, name=style.name)
    buttons = row(AddOwnPhotos(), ShareWithRobin(style.id), DrawPair(style.id), AskBlind(style.id))
    return Card(text(said), buttons, colour=COLOUR)


class AddOwnPhotos(Button, verb="demo:photos"):
    """Do what `/dataset new` and `/dataset add` do, then what `/train auto` does."""

    label, style = wording.demo.ADD_OWN_PHOTOS, discord.ButtonStyle.primary

    async def press(self, interaction: Interaction) -> None:
        """Open the form for a dataset of the presser's own photos."""
        store, owner = interaction.client.store, interaction.user.id
        try:
            dataset = await store.datasets.get_by_name(owner, DATASET)
        except UserError:
            guild = interaction.guild_id or 0
            dataset = await store.datasets.create(owner, guild, DATASET, Concept.SUBJECT)
        await open_add_form(interaction, dataset, OwnPhotosForm)


class OwnPhotosForm(AddForm):
    """The form of `/dataset add`, which goes on with the advice on how to train."""

    async def submit(self, interaction: Interaction) -> None:
        """Add the photos, and advise on how to train on them."""
        await super().submit(interaction)
        await follow_up(interaction, await advice_card(interaction, Question(self.dataset.id)))


class ShareWithRobin(Button, verb="demo:share"):
    """Do what `/style share` and its button Show it here do; the page then turns to Robin."""

    label = wording.demo.SHARE_WITH_ROBIN

    async def press(self, interaction: Interaction) -> None:
        """Share the presser's style, and show it to the channel."""
        await defer_update(interaction)
        await styles.share_style(interaction, self.number(0))
        style = await sampling.get_own_style(interaction, self.number(0))
        card = await styles.shared_card(interaction.client.store, style)
        await follow_up(interaction, card, private=False)


class DrawPair(Button, verb="demo:pair"):
    """Do what two `/sample` do, of one prompt and seed: with the style, and with none."""

    label = wording.demo.DRAW_PAIR

    async def press(self, interaction: Interaction) -> None:
        """Queue both pictures, in an order that nobody knows."""
        await defer(interaction, private=False)
        bot, guild = interaction.client, interaction.guild_id or 0
        channel = interaction.channel_id or 0
        style = await bot.store.styles.get(self.number(0), interaction.user.id, guild)
        prompts = recommend_prompts(style, (await bot.store.catalog.read()).get_base(style.base))
        request = SampleRequest("", secrets.choice(prompts), seed=sampling.choose_seed(None))
        requester = sampling.Requester(interaction.user.id, guild, channel)
        order: list[int | str] = [style.id, sampling.NO_STYLE]
        secrets.SystemRandom().shuffle(order)
        async with bot.jobs.lock:  # or the feed would post a card of each
            views = [await sampling.queue_sample(bot, request, requester, each) for each in order]
            first, second = (view.job.id for view in views)
            for number in (first, second):
                bot.jobs.forget(number)
        said = say(wording.demo.PAIR_WAITS, prompt=request.prompt)
        shown = await edit(interaction, Card(text(said), colour=COLOUR))
        room = bot.get_partial_messageable(channel, guild_id=guild)
        chapters = cast("Chapters", bot.cogs["Chapters"])
        chapters.pairs.append(Pair((first, second), room, shown.id))


def pair_card(store: Store, jobs: list[Job]) -> Card:
    """Return the card of a pair to guess."""
    failed = [job for job in jobs if job.status is not Status.DONE]
    if failed:
        return Card(text(fill(wording.job.FAILED, why=failure_sentence(failed[0]))))
    said = say(wording.demo.PAIR_ASKS, prompt=jobs[0].request["prompt"])
    numbers = [job.id for job in jobs]
    guesses = [Guess(*numbers, place, label=name) for place, name in enumerate(PLACES)]
    return add_pair(PictureCard(text(said), colour=COLOUR), store, jobs).add(row(*guesses))


def answer_card(store: Store, jobs: list[Job], picked: int) -> Card:
    """Return the card of a pair with the answer, once one is picked."""
    trained = next(place for place, job in enumerate(jobs) if job.style is not None)
    template = wording.demo.GUESSED if picked == trained else wording.demo.MISSED
    said = fill(template, trained=PLACES[trained], other=PLACES[1 - trained])
    card = add_pair(PictureCard(text(said), colour=COLOUR), store, jobs)
    return card.add(row(DrawPair(jobs[trained].style or 0, label=wording.demo.PAIR_AGAIN)))


def add_pair(card: Card, store: Store, jobs: list[Job]) -> Card:
    """Add both pictures to a card."""
    return card.add_gallery(zip((find_picture(store, job) for job in jobs), PLACES, strict=True))


def find_picture(store: Store, job: Job) -> Path:
    """Return the picture that a job has drawn; raise UserError if it is gone."""
    found = sorted(store.home.job_folder(job.folder).result.glob("*.png"))
    if not found:
        raise UserError("picture_gone")
    return found[0]


class Guess(Button, verb="demo:guess"):
    """Answer whether the picture that was picked is the style's."""

    async def press(self, interaction: Interaction) -> None:
        """Show the answer in the pair's card."""
        await defer_update(interaction)
        store = interaction.client.store
        jobs = [await store.jobs.get(self.number(place)) for place in (0, 1)]
        await edit(interaction, await asyncio.to_thread(answer_card, store, jobs, self.number(2)))


class AskBlind(Button, verb="demo:study"):
    """Do what `/study new` does: the presser's style against its base."""

    label = wording.demo.ASK_BLIND

    async def press(self, interaction: Interaction) -> None:
        """Show what the study would draw, and what it can show."""
        await defer(interaction)
        store, guild = interaction.client.store, interaction.guild_id or 0
        style = await store.styles.get(self.number(0), interaction.user.id, guild)
        prompts = recommend_prompts(style, (await store.catalog.read()).get_base(style.base))
        order = StudyOrder(
            (SideOrder(style.id, 1.0, 0), SideOrder(0, 1.0, 0)),
            prompts[:STUDY_PROMPTS],
            1,
            sampling.choose_seed(None),
            STUDY_HOURS,
            STUDY_VOTERS,
            wording.study.QUESTION,
        )
        await edit(interaction, await order_card(interaction, order))
