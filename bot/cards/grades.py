"""A style's report, for its owner: while it is drawn, its card, the nearest photo, and sharing.

Nobody but the owner sees how near pictures are to which photo; what they show to a channel has no
photo, unless they choose to and it is their own.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from typing import Any

import discord
from discord import ui
from PIL import Image

from bot import wording
from bot.actions import grading, sampling
from bot.actions.jobstate import JobState
from bot.actions.permissions import check_role
from bot.bot import Bot, Interaction
from bot.card import Card
from bot.cards.components import Button, defer, defer_update, edit, follow_up, row, text
from bot.cards.job import COLOURS, failure_sentence
from bot.cards.report import AddReport
from bot.cards.studypicture import open_picture
from bot.reportcard import draw_card
from bot.wording import fill, format_count, say
from bot.wording.evaluation import (
    CARD_MEANINGS,
    NAMES,
    describe_bindings,
    describe_sets,
    format_grade,
)
from storage.errors import UserError
from storage.photofiles import read_photo
from storage.records import Job, JobCommand, Status, Style

CARD_FILE, PAIR_FILE, JSON_FILE = "report.png", "nearest.png", "report.json"
PAIR_SIDE, PAIR_GAP = 384, 16  #: pixels


async def show_report(interaction: Interaction, style: Style, *, again: bool = False) -> Card:
    """Return the card of a style's report as far as it is; order one if there is none."""
    bot, store = interaction.client, interaction.client.store
    job = await grading.find_job(store, style)
    if job is None or (job.status.ended and (again or job.status is not Status.DONE)):
        await check_role(interaction, "sample")
        place = interaction.user.id, interaction.guild_id or style.guild, 0
        job = await grading.order_report(bot, style, sampling.Requester(*place))
    return await current_card(bot, job, style, here=interaction.guild_id is not None)


async def current_card(bot: Bot, job: Job, style: Style, *, here: bool) -> Card:
    """Return the card of a report as it is; `here` is a server, where it can be shared."""
    if job.status is Status.DONE:
        return await grades_card(bot, job, style, here=here)
    return await waiting_card(bot, job, style)


async def waiting_card(bot: Bot, job: Job, style: Style) -> Card:
    """Return the card of a report that is not done: how far it is, or why it ended."""
    said, colour = wording.grades, COLOURS[job.status]
    if job.status is Status.FAILED:
        failed = say(said.FAILED, name=style.name, why="")
        return Card(text(failed + failure_sentence(job)), row(Again(style.id)), colour=colour)
    if job.status is Status.CANCELLED:
        return Card(text(say(said.CANCELLED, name=style.name)), row(Again(style.id)))
    state = JobState.from_events(await bot.store.events.list_for_job(job.id))
    line = say(said.STARTING, name=style.name)
    if job.status is Status.QUEUED:
        place = await bot.store.jobs.queue_position(job.id)
        line = say(said.WAITING, name=style.name, place=place)
    elif done := state.progress:
        line = say(said.DRAWING, name=style.name, drawn=done.step, total=done.steps)
    return Card(text(line), row(Refresh(style.id), Cancel(job.id)), colour=colour)


# a report that is done ------------------------------------------------------------------------


async def grades_card(bot: Bot, job: Job, style: Style, *, here: bool) -> Card:
    """Return the card of a report for its owner; `here` is a server, where it can be shared."""
    content = await grading.read_report(bot.store, job)
    if content is None:
        return Card(text(say(wording.grades.GONE, name=style.name)), row(Again(style.id)))
    report = content["safelight"]
    card = Card(text(*describe(report, style)), colour=COLOURS[Status.DONE])
    await add_picture(card, bot, job, report)
    if gone := await grading.count_gone(bot.store, job, report):
        card.add(text(fill(wording.grades.PHOTOS_GONE, gone=gone)))
    card.add(text(*list_meanings(report)))
    if details := [fill(wording.grades.DETAIL, detail=each) for each in describe_sets(report)]:
        card.add(text(*details))
    buttons: list[Button] = [Nearest(job.id), Json(job.id), Again(style.id)]
    if here:
        return card.add(row(Show(job.id), *buttons))
    return card.add(text(wording.grades.DIRECT), row(*buttons))


def describe(report: dict[str, Any], style: Style) -> Iterator[str]:
    """Yield the title and the score."""
    score, photos = report["score"], format_count(report["photos"], "photo")
    yield say(wording.grades.TITLE, name=style.name, base=report["base"], photos=photos)
    mean, spread = format_grade(score["mean"]), format_grade(score["spread"])
    obeyed = report["grades"]["obedience"] is not None
    obedience = wording.evaluation.SCORE_OBEDIENCE if obeyed else ""
    figures = {"mean": mean, "spread": spread, "seeds": score["seeds"]}
    yield fill(wording.grades.SCORE, **figures, obedience=obedience)


def list_meanings(report: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for each number."""
    for name, title in NAMES.items():
        value = report["grades"][name]
        unknown = wording.grades.OBEDIENCE_UNKNOWN
        meaning = unknown if value is None else CARD_MEANINGS[name]
        figure = format_grade(value)
        yield fill(wording.grades.GRADE, name=title, figure=figure, meaning=meaning)
    if copies := report["grades"]["copies"]:
        drawn = report["drawn"]
        yield fill(wording.grades.COPIES, copies=round(copies * drawn), pictures=drawn)
    yield from describe_bindings(report)


async def add_picture(card: Card, bot: Bot, job: Job, report: dict[str, Any]) -> None:
    """Add the report card's picture, without pictures that repeat a photo."""
    pictures = grading.list_pictures(bot.store, job, report)
    paths = [each["path"] for each in pictures if not each["copied"]]

    def draw() -> bytes:
        """Draw it, in a thread."""
        return encode(draw_card(report, [open_picture(path, PAIR_SIDE) for path in paths]))

    url = card.attach_content(await asyncio.to_thread(draw), CARD_FILE)
    mean = format_grade(report["score"]["mean"])
    alt = fill(wording.grades.ALT, style=report["style"], mean=mean, base=report["base"])
    card.add(ui.MediaGallery(discord.MediaGalleryItem(url, description=alt)))


def encode(picture: Image.Image) -> bytes:
    """Return a picture as PNG."""
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


async def attach_pair(card: Card, bot: Bot, nearest: grading.Nearest) -> None:
    """Add the drawn picture and the photo side by side; raise UserError if the photo is gone."""
    if nearest.photo is None:
        raise UserError("report_gone")
    file = bot.store.home.preview_file(nearest.photo.digest)

    def draw() -> bytes:
        """Draw it, in a thread."""
        whole = Image.new("RGB", (2 * PAIR_SIDE + PAIR_GAP, PAIR_SIDE), "white")
        photo = io.BytesIO(read_photo(file))
        whole.paste(open_picture(nearest.drawn, PAIR_SIDE), (0, 0))
        whole.paste(open_picture(photo, PAIR_SIDE), (PAIR_SIDE + PAIR_GAP, 0))
        return encode(whole)

    try:
        url = card.attach_content(await asyncio.to_thread(draw), PAIR_FILE)
    except FileNotFoundError as gone:
        raise UserError("report_gone") from gone
    alt = wording.grades.NEAREST_ALT
    card.add(ui.MediaGallery(discord.MediaGalleryItem(url, description=alt)))


async def graded_post(bot: Bot, job: Job) -> Card | None:
    """Return the card that its owner is sent of an ended report; None if its style is gone."""
    try:
        style = await bot.store.styles.get(job.style or 0, job.owner, job.guild)
    except UserError:
        return None
    return await current_card(bot, job, style, here=False)


# buttons --------------------------------------------------------------------------------------


class Grade(Button, verb="grades:open"):
    """Show the report on the presser's own style, or order it."""

    label = wording.grades.GRADE_STYLE

    async def press(self, interaction: Interaction) -> None:
        await defer(interaction)
        style = await sampling.get_own_style(interaction, self.number(0))
        await edit(interaction, await show_report(interaction, style))


class Refresh(Button, verb="grades:refresh"):
    """Show how far the report is."""

    label = wording.grades.REFRESH

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        bot, here = interaction.client, interaction.guild_id is not None
        style = await sampling.get_own_style(interaction, self.number(0))
        job = await grading.find_job(bot.store, style)
        if job is None:
            raise UserError("report_gone")
        await edit(interaction, await current_card(bot, job, style, here=here))


class Again(Button, verb="grades:again"):
    """Grade the style once more."""

    label = wording.grades.AGAIN

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        style = await sampling.get_own_style(interaction, self.number(0))
        await edit(interaction, await show_report(interaction, style, again=True))


class Cancel(Button, verb="grades:cancel"):
    """Cancel a report that waits or is drawn."""

    label, style = wording.grades.CANCEL, discord.ButtonStyle.danger

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        store, owner = interaction.client.store, interaction.user.id
        job = await store.jobs.get_owned(self.number(0), owner)
        await store.jobs.send_command(job.id, JobCommand.CANCEL, owner)
        style = await store.styles.get(job.style or 0, owner, job.guild)
        await edit(interaction, Card(text(say(wording.grades.CANCELLED, name=style.name))))


class Nearest(Button, verb="grades:nearest"):
    """Show the owner the photo that a drawn picture is most like."""

    label = wording.grades.NEAREST_BUTTON

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        bot, owner = interaction.client, interaction.user.id
        job, _, content = await grading.get_report(bot.store, self.number(0), owner)
        nearest = await grading.find_pair(bot.store, job, content["safelight"])
        if nearest is None or nearest.photo is None:
            await follow_up(interaction, Card(text(wording.grades.NEAREST_GONE)))
            return
        said, facts = wording.grades, nearest.facts
        verdict = said.NEAREST_COPY if facts["copied"] else said.NEAREST_FINE
        line = say(
            said.NEAREST, prompt=facts["prompt"], cosine=facts["cosine"], ssim=facts["ssim"]
        )
        card = Card(text(line, verdict))
        await attach_pair(card, bot, nearest)
        mine = nearest.photo.contributor == owner and interaction.guild_id is not None
        await follow_up(interaction, card.add(row(ShowPair(job.id))) if mine else card)


class Show(Button, verb="grades:show"):
    """Show the report card to the channel, without any photo."""

    label, style = wording.grades.SHOW, discord.ButtonStyle.primary

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        await check_shareable(interaction)
        bot, owner = interaction.client, interaction.user.id
        job, style, content = await grading.get_report(bot.store, self.number(0), owner)
        report = content["safelight"]
        shown = say(wording.grades.SHOWN_BY, name=style.name, owner=owner)
        card = Card(text(shown), colour=COLOURS[Status.DONE])
        await add_picture(card, bot, job, report)
        card.add(text(*list_meanings(report)), row(AddReport(job.id)))
        await follow_up(interaction, card, private=False)


class ShowPair(Button, verb="grades:pair"):
    """Show the channel a drawn picture and the presser's own photo that it is most like."""

    label = wording.grades.SHOW_PAIR

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        await check_shareable(interaction)
        bot, owner = interaction.client, interaction.user.id
        job, style, content = await grading.get_report(bot.store, self.number(0), owner)
        nearest = await grading.find_pair(bot.store, job, content["safelight"])
        if nearest is None or nearest.photo is None or nearest.photo.contributor != owner:
            raise UserError("report_gone")
        card = Card(text(say(wording.grades.PAIR_SHOWN, owner=owner, name=style.name)))
        await attach_pair(card, bot, nearest)
        await follow_up(interaction, card.add(row(AddReport(job.id))), private=False)


class Json(Button, verb="grades:json"):
    """Send every number of the report."""

    label = wording.grades.JSON

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        store, owner = interaction.client.store, interaction.user.id
        _, _, content = await grading.get_report(store, self.number(0), owner)
        card = Card(text(wording.grades.NUMBERS))
        listed = json.dumps(content, ensure_ascii=False, indent=1).encode()
        card.add(ui.File(card.attach_content(listed, JSON_FILE)))
        await follow_up(interaction, card)


async def check_shareable(interaction: Interaction) -> None:
    """Raise UserError outside of a server, or for a member who may not show pictures there."""
    if interaction.guild_id is None:
        raise UserError("server_only")
    await check_role(interaction, "sample")
