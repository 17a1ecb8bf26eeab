"""The card of drawn pictures: it waits, shows them, and offers more of the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import discord
from discord import ui

from bot import wording
from bot.actions import sampling
from bot.actions.jobstate import base as last
from bot.actions.permissions import allowed
from bot.cards.components import Button, Card, Form, add, ask, hold, row, show, text, touch
from bot.cards.emoji import Emoji
from bot.cards.job import COLOURS, note, reason, steerable
from bot.cards.report import Report
from bot.cards.upscaled import Wall
from bot.wording import fill, flatten, say
from storage.errors import UserError
from storage.records import JobCommand, Kind, Status
from storage.requests import SampleRequest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bot.actions.jobstate import JobState
    from bot.actions.sampling import Drawing
    from bot.cards.components import Asked
    from storage.folders import Home
    from storage.records import Base, Job, Style

SHOWN = 200  #: characters of a prompt on a card


async def promise(interaction: Asked, request: SampleRequest, style: str | int = "") -> None:
    """Queue pictures, and put the card that waits for them where one was promised."""
    bot = interaction.client
    await allowed(interaction, "sample")
    asker = sampling.Asker(
        interaction.user.id, interaction.guild_id or 0, interaction.channel_id or 0
    )
    async with bot.follow.lock:  # or it would post a card of its own
        drawing = await sampling.queue(bot, request, asker, style)
        card = waiting_card(drawing)
        message = await show(interaction, card)
        await bot.store.jobs.set_card(drawing.job.id, asker.channel, message.id, None)
        bot.follow.expect(drawing.job.id, card)


def waiting_card(drawing: Drawing) -> Card:
    """Lay out pictures that are not drawn yet."""
    place = say(wording.job.PLACE, place=drawing.place) if drawing.place > 1 else wording.job.NEXT
    job = drawing.job
    card = Card(colour=COLOURS[job.status])
    card.put(text(*head(job, drawing.style, drawing.base)), text(place))
    return card.put(row(Remove(job.id)))


def sample_card(home: Home, drawing: Drawing, story: JobState) -> Card:
    """Lay pictures out as they stand."""
    job = drawing.job
    if job.status is Status.QUEUED:
        return waiting_card(drawing)
    card = Wall(colour=COLOURS[job.status])
    card.put(text(*head(job, drawing.style, drawing.base)))
    if job.status is Status.RUNNING:
        return card.put(text(wording.sample.DRAWING), row(Remove(job.id)))
    if job.status is not Status.DONE:
        failed = job.status is Status.FAILED
        why = fill(wording.job.FAILED, why=reason(job)) if failed else wording.sample.CANCELLED
        return card.put(text(why))
    card.gallery(pictures(home, job, story))
    card.put(text(*below(job, story)))
    return buttons(card, drawing)


def head(job: Job, style: Style | None, base: Base | None) -> Iterator[str]:
    """Say what is drawn, for whom and by what."""
    yield say(wording.sample.TITLE, prompt=flatten(job.request["prompt"], SHOWN))
    yield say(wording.sample.BY, owner=job.owner) + " · " + credit(job, style, base)


def credit(job: Job, style: Style | None, base: Base | None) -> str:
    """Name the style and its maker, and the base that drew."""
    title = base.title if base else job.base
    if style is None:
        return say(wording.sample.BARE, base=title)
    if style.owner in {None, job.owner}:
        return say(wording.sample.NAMELESS, name=style.name, base=title)
    return say(wording.sample.CREDIT, name=style.name, maker=style.owner, base=title)


def below(job: Job, story: JobState) -> Iterator[str]:
    """Say how the pictures were drawn; the seed stands alone, for copying."""
    request = job.request
    facts = [fill(wording.sample.STEPS, steps=request["steps"])]
    if job.style is not None:
        facts.append(fill(wording.sample.STRENGTH, strength=f"{request['strength']:g}"))
    if request["negative"]:
        facts.append(say(wording.sample.NOT, negative=flatten(request["negative"], SHOWN)))
    yield fill(wording.sample.SETTINGS, facts=" · ".join(facts))
    yield say(wording.sample.SEED, seed=request["seed"])
    if story.note:
        yield note(story.note)


def pictures(home: Home, job: Job, story: JobState) -> Iterator[tuple[Path, str]]:
    """List the drawn pictures that are still there."""
    for file, picture in story.pictures.items():
        path = home.job_folder(job.id).result / last(file)
        if path.is_file():
            yield path, picture.prompt


def buttons(card: Card, drawing: Drawing) -> Card:
    """Offer more of the same; small square pictures may become emoji."""
    job = drawing.job
    second: list[Button] = [Report(job.id)]
    if drawing.base and drawing.base.small:
        second.insert(0, Emoji(job.id, label=wording.emoji.ADD))
    return card.put(row(Again(job.id), Vary(job.id), Remove(job.id)), row(*second))


async def asked(interaction: Asked, number: int) -> Job:
    """Return the presser's own pictures; somebody else's are as unknown as none."""
    job = await interaction.client.store.jobs.get_owned(number, interaction.user.id)
    if job.kind is not Kind.SAMPLE:
        raise UserError("job_unknown")
    return job


class Again(Button, verb="sample:again"):
    """Draw the same words with another seed."""

    label, style = wording.sample.AGAIN, discord.ButtonStyle.primary

    async def press(self, interaction: Asked) -> None:
        """Queue it."""
        await hold(interaction, private=False)
        job = await asked(interaction, self.numbers[0])
        request = replace(SampleRequest(**job.request), seed=sampling.seeded(None))
        await promise(interaction, request, job.style or "")


class Vary(Button, verb="sample:vary"):
    """Change the words, the seed or the strength."""

    label = wording.sample.VARY

    async def press(self, interaction: Asked) -> None:
        """Open the form."""
        job = await asked(interaction, self.numbers[0])
        await ask(interaction, VaryForm(SampleRequest(**job.request), job.style))


class Remove(Button, verb="sample:delete"):
    """Delete the pictures, or take the wish for them back."""

    label, style = wording.sample.REMOVE, discord.ButtonStyle.danger

    async def press(self, interaction: Asked) -> None:
        """Delete message and files; the owner may, and who moderates here."""
        await touch(interaction)
        bot = interaction.client
        job = await steerable(interaction, self.numbers[0])
        if job.kind is not Kind.SAMPLE:
            raise UserError("job_unknown")
        bot.follow.forget(job.id)
        if not job.status.ended:
            await bot.store.jobs.send_command(job.id, JobCommand.CANCEL, interaction.user.id)
        await sampling.forget(bot.store, job)
        await interaction.delete_original_response()
        if job.message and interaction.message and interaction.message.id != job.message:
            await bot.follow.board.remove(job.channel, job.guild, job.message)
        await add(interaction, Card(text(wording.sample.GONE)))


class TryForm(Form):
    """What to draw with a style."""

    def __init__(self, style: Style, base: Base | None) -> None:
        super().__init__(title=flatten(fill(wording.sample.TRY_FORM, name=style.name), 45))
        self.style = style
        small = base is not None and base.small
        first = wording.result.example(style.trigger, style.concept, small=small)
        self.prompt = field("prompt", first, long=True)
        self.add_item(ui.Label(text=wording.sample.PROMPT_LABEL, component=self.prompt))

    async def filled(self, interaction: Asked) -> None:
        """Queue it."""
        await hold(interaction, private=False)
        request = SampleRequest("", self.prompt.value.strip(), seed=sampling.seeded(None))
        await promise(interaction, request, self.style.id)


class VaryForm(Form):
    """The settings of pictures, to be changed."""

    def __init__(self, request: SampleRequest, style: int | None) -> None:
        super().__init__(title=wording.sample.FORM)
        self.request, self.style = request, style
        self.prompt = field("prompt", request.prompt, long=True)
        self.negative = field("negative", request.negative, required=False)
        self.strength = field("strength", f"{request.strength:g}")
        self.seed = field("seed", str(request.seed), required=False)
        self.steps = field("steps", str(request.steps))
        for label, component in (
            (wording.sample.PROMPT_LABEL, self.prompt),
            (wording.sample.NEGATIVE_LABEL, self.negative),
            (wording.sample.STRENGTH_LABEL, self.strength),
            (wording.sample.SEED_LABEL, self.seed),
            (wording.sample.STEPS_LABEL, self.steps),
        ):
            self.add_item(ui.Label(text=label, component=component))

    async def filled(self, interaction: Asked) -> None:
        """Queue it."""
        await hold(interaction, private=False)
        seed = self.seed.value.strip()
        request = replace(
            self.request,
            prompt=self.prompt.value.strip(),
            negative=self.negative.value.strip(),
            strength=read(self.strength.value, float),
            seed=sampling.seeded(read(seed, int) if seed else None),
            steps=read(self.steps.value, int),
        )
        await promise(interaction, request, self.style or "")


def field(
    name: str, value: str, *, long: bool = False, required: bool = True
) -> ui.TextInput[Any]:
    """Make a field of a form."""
    style = discord.TextStyle.paragraph if long else discord.TextStyle.short
    return ui.TextInput(
        custom_id=name, style=style, default=value, required=required, max_length=sampling.PROMPT
    )


def read(typed: str, kind: type[float]) -> Any:
    """Read a number that somebody typed."""
    try:
        return kind(typed.strip().replace(",", "."))
    except ValueError as wrong:
        raise UserError("number_bad", typed=flatten(typed, 40)) from wrong
