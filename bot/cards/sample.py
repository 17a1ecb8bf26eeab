"""The card of pictures on demand: it waits, shows them, and offers more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import discord

from bot import wording
from bot.actions import channels, sampling
from bot.actions.jobstate import JobState, file_name
from bot.actions.permissions import check_role
from bot.actions.sampling import SampleView
from bot.bot import Interaction
from bot.card import Card
from bot.cards.components import (
    Button,
    Form,
    defer,
    defer_update,
    edit,
    follow_up,
    open_modal,
    parse_number,
    row,
    text,
    text_input,
)
from bot.cards.emoji import Emoji
from bot.cards.job import COLOURS, failure_sentence, get_controllable_job, note_sentence
from bot.cards.likes import Dislike, Like
from bot.cards.report import AddReport
from bot.cards.upscaled import PictureCard
from bot.wording import fill, flatten, say
from storage.errors import UserError
from storage.folders import Home
from storage.planning import prompts
from storage.records import Base, Job, JobCommand, Kind, Status, Style
from storage.requests import SampleRequest

MAX_SHOWN_CHARS = 200  #: characters of a prompt on a card
MAX_LABEL_CHARS = 40  #: characters of a button with a style's name
#: a text field of a form
field = partial(text_input, max_length=sampling.MAX_PROMPT_CHARS)


async def queue_and_show(
    interaction: Interaction, request: SampleRequest, style: str | int
) -> None:
    """Queue pictures and show their card in the deferred answer."""
    bot = interaction.client
    await check_role(interaction, "sample")
    requester = sampling.Requester(
        interaction.user.id, interaction.guild_id or 0, interaction.channel_id or 0
    )
    async with bot.jobs.lock:  # or it would post a card of its own
        view = await sampling.queue_sample(bot, request, requester, style)
        card = channels.mark_card(waiting_card(view), view.job)
        message = await edit(interaction, card)
        await bot.store.jobs.set_card(view.job.id, requester.channel, message.id, None)
        bot.jobs.expect(view.job.id, card)


def waiting_card(view: SampleView) -> Card:
    """Return the card of pictures that are not drawn yet."""
    place = say(wording.job.PLACE, place=view.place) if view.place > 1 else wording.job.PLACE_NEXT
    job = view.job
    card = Card(colour=COLOURS[job.status])
    card.add(text(*title_lines(job, view.style, view.base)), text(place))
    return card.add(row(Remove(job.id)))


def sample_card(home: Home, view: SampleView, state: JobState) -> Card:
    """Return the card of pictures as they are now."""
    job = view.job
    if job.status is Status.QUEUED:
        return waiting_card(view)
    card = PictureCard(colour=COLOURS[job.status])
    card.add(text(*title_lines(job, view.style, view.base)))
    if job.status is Status.RUNNING:
        return card.add(text(wording.sample.DRAWING), row(Remove(job.id)))
    if job.status is not Status.DONE:
        why = wording.sample.CANCELLED
        if job.status is Status.FAILED:
            why = fill(wording.job.FAILED, why=failure_sentence(job))
        return card.add(text(why))
    card.add_gallery(list_pictures(home, job, state))
    card.add(text(*settings_lines(job, state)))
    return add_buttons(card, view)


def title_lines(job: Job, style: Style | None, base: Base | None) -> Iterator[str]:
    """Yield the prompt, the owner, and what draws it."""
    yield say(wording.sample.TITLE, prompt=flatten(job.request["prompt"], MAX_SHOWN_CHARS))
    yield say(wording.sample.BY, owner=job.owner) + " · " + credit_line(job, style, base)


def credit_line(job: Job, style: Style | None, base: Base | None) -> str:
    """Return the style with its maker, and the base."""
    title = base.title if base else job.base
    if "cells" in job.request and style is None:
        return say(wording.sample.CREDIT_GRID, base=title)
    if style is None:
        return say(wording.sample.CREDIT_BASE, base=title)
    if style.owner in {None, job.owner}:
        return say(wording.sample.CREDIT_OWN, name=style.name, base=title)
    return say(wording.sample.CREDIT, name=style.name, maker=style.owner, base=title)


def settings_lines(job: Job, state: JobState) -> Iterator[str]:
    """Yield the settings; the seed stands alone, so that it can be copied."""
    request = job.request
    facts = [fill(wording.sample.STEPS, steps=request["steps"])]
    if "cells" in request:
        said = wording.sample
        facts.append(said.GRID_ROWS_PROMPTS if job.style is None else said.GRID_ROWS)
    elif job.style is not None:
        facts.append(fill(wording.sample.STRENGTH, strength=f"{request['strength']:g}"))
    if request["negative"]:
        facts.append(
            say(wording.sample.NEGATIVE, negative=flatten(request["negative"], MAX_SHOWN_CHARS))
        )
    yield fill(wording.sample.SETTINGS, facts=" · ".join(facts))
    yield say(wording.sample.SEED, seed=request["seed"])
    if state.note:
        yield note_sentence(state.note)


def list_pictures(home: Home, job: Job, state: JobState) -> Iterator[tuple[Path, str]]:
    """Yield the pictures that still exist, with their prompts."""
    for file, picture in state.pictures.items():
        path = home.job_folder(job.folder).result / file_name(file)
        if path.is_file():
            yield path, picture.prompt


def add_buttons(card: Card, view: SampleView) -> Card:
    """Add the buttons; small square pictures may become emoji."""
    job = view.job
    if "cells" in job.request:
        return card.add(row(Remove(job.id), AddReport(job.id)))
    second: list[Button] = [AddReport(job.id)]
    if job.style is not None:
        second = [Like(job.id), Dislike(job.id), *second]
    if view.base and view.base.small:
        second.insert(-1, Emoji(job.id, label=wording.emoji.ADD))
    if view.offer:
        label = flatten(fill(wording.sample.WITH, name=view.offer.name), MAX_LABEL_CHARS)
        second.insert(0, With(job.id, view.offer.id, label=label))
    return card.add(row(Again(job.id), Vary(job.id), Remove(job.id)), row(*second))


async def get_own_sample(interaction: Interaction, number: int) -> Job:
    """Return the presser's own job; raise UserError for somebody else's."""
    job = await interaction.client.store.jobs.get_owned(number, interaction.user.id)
    if job.kind is not Kind.SAMPLE:
        raise UserError("job_unknown")
    return job


class Again(Button, verb="sample:again"):
    """Draw the same prompt with another seed."""

    label, style = wording.sample.AGAIN, discord.ButtonStyle.primary

    async def press(self, interaction: Interaction) -> None:
        await defer(interaction, private=False)
        job = await get_own_sample(interaction, self.number(0))
        request = replace(SampleRequest(**job.request), seed=sampling.choose_seed(None))
        await queue_and_show(interaction, request, job.style or sampling.NO_STYLE)


class With(Button, verb="sample:with"):
    """Draw the same prompt and seed with a style; its label names it."""

    async def press(self, interaction: Interaction) -> None:
        await defer(interaction, private=False)
        job = await get_own_sample(interaction, self.number(0))
        await queue_and_show(interaction, SampleRequest(**job.request), self.number(1))


class Vary(Button, verb="sample:vary"):
    """Open the form to change the prompt, seed or strength and draw again."""

    label = wording.sample.VARY

    async def press(self, interaction: Interaction) -> None:
        job = await get_own_sample(interaction, self.number(0))
        await open_modal(interaction, VaryForm(SampleRequest(**job.request), job.style))


class Remove(Button, verb="sample:delete"):
    """Delete the pictures, or cancel the job."""

    label, style = wording.sample.REMOVE, discord.ButtonStyle.danger

    async def press(self, interaction: Interaction) -> None:
        """Delete message and files, for the owner and moderators."""
        await defer_update(interaction)
        bot = interaction.client
        job = await get_controllable_job(interaction, self.number(0))
        if job.kind is not Kind.SAMPLE:
            raise UserError("job_unknown")
        bot.jobs.forget(job.id)
        if not job.status.ended:
            await bot.store.jobs.send_command(job.id, JobCommand.CANCEL, interaction.user.id)
        await sampling.delete_pictures(bot.store, job)
        await interaction.delete_original_response()
        if job.message and interaction.message and interaction.message.id != job.message:
            await channels.remove_message(bot, job.channel, job.guild, job.message)
        await follow_up(interaction, Card(text(wording.sample.PICTURE_DELETED)))


def recommend_prompts(style: Style, base: Base | None) -> list[str]:
    """List prompts that show what a style has learnt."""
    small = base is not None and base.small
    return prompts.recommend_prompts(style.trigger, style.concept, small=small)


class TryForm(Form):
    """A form for what to draw with a style."""

    def __init__(self, style: Style, base: Base | None) -> None:
        super().__init__(title=flatten(fill(wording.sample.TRY_FORM, name=style.name), 45))
        self.style = style
        self.prompt = field(
            "prompt", recommend_prompts(style, base)[0], style=discord.TextStyle.paragraph
        )
        self.add_field(wording.sample.PROMPT_LABEL, self.prompt)

    async def submit(self, interaction: Interaction) -> None:
        await defer(interaction, private=False)
        request = SampleRequest("", self.prompt.value.strip(), seed=sampling.choose_seed(None))
        await queue_and_show(interaction, request, self.style.id)


class VaryForm(Form):
    """A form for the settings of pictures."""

    def __init__(self, request: SampleRequest, style: int | None) -> None:
        super().__init__(title=wording.sample.VARY_FORM)
        self.request, self.style = request, style
        self.prompt = field("prompt", request.prompt, style=discord.TextStyle.paragraph)
        self.negative = field("negative", request.negative, required=False)
        self.strength = field("strength", f"{request.strength:g}")
        self.seed = field("seed", str(request.seed), required=False)
        self.steps = field("steps", str(request.steps))
        self.add_field(wording.sample.PROMPT_LABEL, self.prompt)
        self.add_field(wording.sample.NEGATIVE_LABEL, self.negative)
        self.add_field(wording.sample.STRENGTH_LABEL, self.strength)
        self.add_field(wording.sample.SEED_LABEL, self.seed)
        self.add_field(wording.sample.STEPS_LABEL, self.steps)

    async def submit(self, interaction: Interaction) -> None:
        await defer(interaction, private=False)
        seed = self.seed.value.strip()
        request = replace(
            self.request,
            prompt=self.prompt.value.strip(),
            negative=self.negative.value.strip(),
            strength=parse_number(self.strength.value, float),
            seed=sampling.choose_seed(parse_number(seed, int) if seed else None),
            steps=parse_number(self.steps.value, int),
        )
        here = interaction.user.id, interaction.guild_id or 0
        store = interaction.client.store
        style = await sampling.keep_choice(store, self.request, self.style, *here)
        await queue_and_show(interaction, request, style)
