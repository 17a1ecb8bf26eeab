"""The pictures of a training: the newest sample, the film strip over its steps, the loss curve."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import discord
from discord import ui

from bot import wording
from bot.actions.jobstate import JobState, file_name
from bot.bot import Interaction
from bot.card import Card
from bot.cards.components import Button, defer, edit, text
from bot.cards.upscaled import PictureCard
from bot.wording import fill, flatten, say
from storage.errors import UserError
from storage.folders import Home
from storage.photos.filmstrip import Frame, draw_animation, draw_filmstrip, read_squares
from storage.planning.plan import checkpoint_interval, count_checkpoints, list_preview_steps
from storage.records import Dial, Job, Kind

#: holds the place of what is not drawn yet, so that no button moves when it comes
NO_PICTURE = Path(__file__).with_name("noise.png")
STRIP_FILE, ANIMATION_FILE = "strip.png", "learning.webp"
MAX_PROMPT_CHARS = 90  #: under a picture; its alternative text has all of it


def add_newest_sample(card: PictureCard, home: Home, job: Job, state: JobState) -> None:
    """Add the first of the newest samples, large, with its prompt under it."""
    drawn = state.previews
    path = drawn and drawn.files and folder_of(home, job) / file_name(drawn.files[0])
    if drawn and path and path.is_file():  # it goes with photos that are taken back
        prompt = next(iter(drawn.prompts), "")
        card.add_gallery([(path, prompt)])
        shown = flatten(prompt, MAX_PROMPT_CHARS)
        card.add(text(say(wording.job.SAMPLE, prompt=shown)))
    elif not job.status.ended:
        card.add_gallery([(NO_PICTURE, wording.job.NO_PICTURE_ALT)])
        card.add(text(wording.job.NO_SAMPLE))


def add_strip(card: Card, home: Home, job: Job, state: JobState, steps: int) -> None:
    """Add the pictures of one prompt and seed over the steps, with places for those to come."""
    frames = tuple(list_frames(home, job, state, steps))
    if len(frames) < 2:
        return
    drawn = [frame.label for frame in frames if frame.path != NO_PICTURE]
    url = card.attach_content(draw_strip(frames), STRIP_FILE)
    alt = (
        fill(wording.job.STRIP_ALT, steps=", ".join(drawn))
        if drawn
        else wording.job.NO_PICTURE_ALT
    )
    card.add(ui.MediaGallery(discord.MediaGalleryItem(url, description=flatten(alt, 1000))))


@lru_cache(maxsize=32)
def draw_strip(frames: tuple[Frame, ...]) -> bytes:
    """Draw a strip once; its card is edited more often than a picture comes."""
    return draw_filmstrip(frames)


def list_frames(home: Home, job: Job, state: JobState, steps: int) -> Iterator[Frame]:
    """Yield a frame for each round of previews; of a job that ended, for those that are there."""
    to_come = () if job.status.ended else list_rounds(job, state, steps)
    for step in sorted({*to_come, *state.strip}):
        path = folder_of(home, job) / file_name(state.strip.get(step, ""))
        label = fill(wording.job.FRAME, step=step) if step else wording.job.FRAME_BEFORE
        if step in state.strip and path.is_file():
            yield Frame(path, label)
        elif not job.status.ended:
            yield Frame(NO_PICTURE, label)


def list_rounds(job: Job, state: JobState, steps: int) -> Iterator[int]:
    """Yield the steps of pictures that are to come, as far as they can be known by now."""
    goes_on = bool(job.request.get("continues"))
    if not goes_on:
        yield 0
    if state.started and state.started.rounds:
        yield from state.started.rounds
    elif not goes_on:
        count = count_checkpoints(Dial(job.request.get("dial", Dial.BALANCED)))
        yield from list_preview_steps(steps, checkpoint_interval(steps, count))


async def read_pictures(home: Home, job: Job, state: JobState) -> None:
    """Read the pictures of a training's strips in a thread: the event loop has other work."""
    folder = folder_of(home, job)
    paths = [folder / file_name(file) for file in state.strip.values()]
    await asyncio.to_thread(read_squares, [*paths, *folder.glob("strength-*.png")])


def folder_of(home: Home, job: Job) -> Path:
    """Return where a job's samples lie."""
    return home.job_folder(job.folder).samples


async def get_visible_job(interaction: Interaction, number: int) -> tuple[Job, JobState]:
    """Return a training of the presser's or of their server; else raise "job_unknown"."""
    store = interaction.client.store
    job = await store.jobs.get(number)
    own = job.owner == interaction.user.id
    if job.kind is not Kind.TRAIN or not (own or job.guild == interaction.guild_id):
        raise UserError("job_unknown")
    return job, JobState.from_events(await store.events.list_for_job(number))


class Details(Button, verb="job:details"):
    """Show a training's numbers: step, loss, rate, speed, device, and the loss curve."""

    label = wording.job.DETAILS

    async def press(self, interaction: Interaction) -> None:
        await defer(interaction)
        job, state = await get_visible_job(interaction, self.number(0))
        home = interaction.client.store.home
        card = PictureCard(text(*detail_lines(state)))
        curve = folder_of(home, job) / file_name(state.curve)
        if state.curve and curve.is_file():
            card.add_gallery([(curve, wording.job.CURVE_ALT)])
        table = home.job_folder(job.folder).metrics_csv
        if table.is_file():
            card.add(text(wording.job.TABLE))
            card.add(ui.File(card.attach(table)))
        await edit(interaction, card)


def detail_lines(state: JobState) -> Iterator[str]:
    """Yield the numbers of a training."""
    progress = state.progress
    if progress is None:
        yield wording.job.NO_NUMBERS
        return
    yield say(
        wording.job.NUMBERS,
        step=progress.step,
        steps=progress.steps,
        loss=state.loss,
        rate=f"{progress.learning_rate:.2g}",
        time=wording.format_duration(progress.seconds),
    )
    device = state.started.device if state.started else "?"
    yield say(wording.job.SPEED, speed=f"{progress.steps_per_second:.1f}", device=device)


class Animate(Button, verb="job:animate"):
    """Show the film strip as an animation."""

    label = wording.job.ANIMATE

    async def press(self, interaction: Interaction) -> None:
        await defer(interaction)
        job, state = await get_visible_job(interaction, self.number(0))
        frames = list(list_frames(interaction.client.store.home, job, state, 0))
        if len(frames) < 2:
            raise UserError("picture_gone")
        card = Card(text(wording.job.ANIMATION))
        url = card.attach_content(await asyncio.to_thread(draw_animation, frames), ANIMATION_FILE)
        alt = wording.job.ANIMATION
        card.add(ui.MediaGallery(discord.MediaGalleryItem(url, description=alt)))
        await edit(interaction, card)
