"""The job card: how far a training is, and the buttons that steer it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import discord
from discord import ui

from bot import wording
from bot.actions.jobstate import base as last
from bot.actions.permissions import allowed, keeper, quota
from bot.cards.components import Button, add, row, show, text, touch
from bot.cards.upscaled import Wall
from bot.wording import fill, flatten, say
from storage import disk
from storage.errors import JobError, UserError
from storage.events import Note, Started
from storage.records import JobCommand, Kind, NewJob, Status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bot.actions.jobstate import JobState
    from bot.cards.components import Asked, Card
    from storage.folders import Home
    from storage.records import Job

COLOURS = {
    Status.QUEUED: 0x8A8F98,
    Status.RUNNING: 0xF0A020,
    Status.PAUSED: 0x8A8F98,
    Status.DONE: 0x3BA55D,
    Status.FAILED: 0xD83C3E,
    Status.CANCELLED: 0x8A8F98,
}
CELLS = 12  #: of the progress bar


@dataclass(frozen=True, slots=True)
class Scene:
    """A job, and what its card needs beside it."""

    job: Job
    story: JobState
    base: str  #: its title
    place: int = 0  #: in the queue
    result: str = ""  #: address of the result's message
    threadless: bool = False  #: there should be a thread, but it may not be made

    @property
    def name(self) -> str:
        """What the job makes."""
        return str(self.job.request.get("name") or self.job.request.get("prompt", ""))

    @property
    def steps(self) -> int:
        """How many steps it takes."""
        known = self.story.progress or self.story.started
        return known.steps if known else int(self.job.request.get("steps", 0))


def job_card(home: Home, scene: Scene) -> Card:
    """Lay a training out."""
    job = scene.job
    method = wording.training.METHODS.get(job.request["method"], job.request["method"])
    card = Wall(colour=COLOURS[job.status])
    title = say(wording.job.TITLE, name=scene.name, method=method)
    card.put(text(title, say(wording.job.BY, owner=job.owner, base=scene.base)))
    said, newest = text(*state(scene)), newest_sample(home, scene)
    if newest is None:
        card.put(said)
    else:
        path, alt = newest
        shown: ui.Thumbnail[Any] = ui.Thumbnail(
            card.media(path), description=flatten(alt, 1000) or None
        )
        card.put(ui.Section(said, accessory=shown))
    if scene.story.curve:
        curve = home.job_folder(job.id).samples / last(scene.story.curve)
        card.gallery([(curve, wording.job.CURVE_ALT)])
    if job.thread and not job.private:
        card.put(text(say(wording.job.THREAD, thread=job.thread)))
    elif scene.threadless:
        card.put(text(wording.job.THREADLESS))
    buttons = controls(job)
    return card.put(row(*buttons)) if buttons else card


def state(scene: Scene) -> Iterator[str]:
    """Say in a few lines where the job stands."""
    yield from STATES[scene.job.status](scene)
    if scene.story.note and not scene.job.status.ended:
        yield note(scene.story.note)


def queued(scene: Scene) -> Iterator[str]:
    """Say how long it still waits."""
    yield say(wording.job.PLACE, place=scene.place) if scene.place > 1 else wording.job.NEXT
    if scene.job.attempts:
        yield say(wording.job.AGAIN, attempt=scene.job.attempts + 1)


def running(scene: Scene) -> Iterator[str]:
    """Say how far it is and when it will be done."""
    job, story = scene.job, scene.story
    if story.progress is None:
        yield wording.job.STARTING
    else:
        left = story.progress.eta_seconds - max(0.0, time.time() - story.progress_at)
        when = int(discord.utils.utcnow().timestamp() + max(1.0, left))
        yield bar(story.step, scene.steps)
        step, steps = story.step, scene.steps
        yield say(wording.job.STEP, step=step, steps=steps, loss=story.loss, when=when)
        speed, device = story.progress.steps_per_second, (story.started or Started(0, 0)).device
        yield say(wording.job.DEVICE, speed=f"{speed:.1f}", device=device)
    if job.requested:
        yield wording.job.WISHES[job.requested]


def paused(scene: Scene) -> Iterator[str]:
    """Say where it stopped."""
    yield bar(scene.story.step, scene.steps)
    yield say(wording.job.PAUSED, step=scene.story.step, steps=scene.steps)


def done(scene: Scene) -> Iterator[str]:
    """Say what came of it."""
    end = scene.story.done
    template = wording.job.EARLY if end.early else wording.job.DONE
    took = wording.format_duration(end.timings.seconds)
    yield say(template, steps=end.steps, time=took, loss=scene.story.loss)
    if scene.result:
        yield fill(wording.job.RESULT, url=scene.result)


def failed(scene: Scene) -> Iterator[str]:
    """Say why it failed."""
    job = scene.job
    yield fill(wording.job.FAILED, why=reason(job))
    reference = (job.error or {}).get("reference")
    if reference:
        yield say(wording.job.REFERENCE, reference=reference)


def reason(job: Job) -> str:
    """Return the sentence for what ended a job."""
    facts = dict(job.error or {"code": "bug", "reference": "?"})
    code = str(facts.pop("code", "unknown"))
    return wording.explain(JobError(code, **facts))


def cancelled(scene: Scene) -> Iterator[str]:
    """Say who ended it, and when."""
    job, step = scene.job, scene.story.step
    yield say(wording.job.CANCELLED, step=step) if job.started else wording.job.CANCELLED_WAITING
    if job.requested_by and job.requested_by != job.owner:
        yield say(wording.job.CANCELLED_BY, by=job.requested_by)


STATES = {
    Status.QUEUED: queued,
    Status.RUNNING: running,
    Status.PAUSED: paused,
    Status.DONE: done,
    Status.FAILED: failed,
    Status.CANCELLED: cancelled,
}


def note(noted: Note) -> str:
    """Return the sentence of a note."""
    if noted.code in wording.job.NOTES:
        return say(wording.job.NOTES[noted.code], **noted.facts)
    return wording.explain(JobError(noted.code, **noted.facts))


def bar(step: int, steps: int) -> str:
    """Draw the progress bar."""
    part = min(1.0, step / steps) if steps else 0.0
    full = round(part * CELLS)
    return f"{'▰' * full}{'▱' * (CELLS - full)} {part:.0%}"


def newest_sample(home: Home, scene: Scene) -> tuple[Path, str] | None:
    """Choose the picture that the card shows, with its alt text."""
    newest = scene.story.previews
    if newest is None or not newest.files:
        return None
    path = home.job_folder(scene.job.id).samples / last(newest.files[0])
    return path, next(iter(newest.prompts), "")


def controls(job: Job) -> list[Button]:
    """Return the buttons that make sense now."""
    if job.status is Status.FAILED:
        return [Retry(job.id)]
    if job.status.ended:
        return []
    asked = job.requested is not None
    if job.status is Status.PAUSED:
        first: list[Button] = [Resume(job.id), Cancel(job.id), Finish(job.id)]
    elif job.status is Status.QUEUED:
        first = [Cancel(job.id, disabled=asked)]
    else:
        off = asked and job.requested is not JobCommand.PAUSE
        first = [
            Pause(job.id, disabled=asked),
            Cancel(job.id, disabled=off),
            Finish(job.id, disabled=off),
        ]
    return [*first, Tell(job.id)]


async def steerable(interaction: Asked, number: int) -> Job:
    """Return a job that the presser may steer: their own, or one on a server they look after."""
    job = await interaction.client.store.jobs.get(number)
    own = job.owner == interaction.user.id
    if not own and not (job.guild == interaction.guild_id and keeper(interaction)):
        raise UserError("job_unknown")
    return job


class Steer(Button, verb=""):
    """A button that asks something of a job."""

    command: ClassVar[JobCommand | None] = None

    async def press(self, interaction: Asked) -> None:
        """Pass the wish on, and show at once that it was heard."""
        await touch(interaction)
        bot = interaction.client
        job = await steerable(interaction, self.numbers[0])
        if self.command is None:
            await bot.store.jobs.resume(job.id, interaction.user.id)
        else:
            await bot.store.jobs.send_command(job.id, self.command, interaction.user.id)
        if interaction.message is None or interaction.message.id != job.message:
            await show(interaction, await bot.follow.card(job.id))
        await bot.follow.show(job.id)


class Pause(Steer, verb="job:pause"):
    """Put the job aside; its state is kept."""

    label, command = wording.job.PAUSE, JobCommand.PAUSE


class Resume(Steer, verb="job:resume"):
    """Go on with a paused job."""

    label, style = wording.job.RESUME, discord.ButtonStyle.primary


class Cancel(Steer, verb="job:cancel"):
    """End the job; nothing of it is kept."""

    label, command, style = wording.job.CANCEL, JobCommand.CANCEL, discord.ButtonStyle.danger


class Finish(Steer, verb="job:finish"):
    """End the job here and keep what it has learnt."""

    label, command, style = wording.job.FINISH, JobCommand.FINISH, discord.ButtonStyle.success


class Retry(Button, verb="job:retry"):
    """Ask for a failed training once more."""

    label, style = wording.job.RETRY, discord.ButtonStyle.primary

    async def press(self, interaction: Asked) -> None:
        """Queue the same again; the owner may."""
        await touch(interaction)
        bot = interaction.client
        job = await bot.store.jobs.get_owned(self.numbers[0], interaction.user.id)
        if job.status is not Status.FAILED or job.dataset is None:
            raise UserError("job_unknown")
        await allowed(interaction, "train")
        await quota(interaction)
        disk.check_disk_space(bot.settings)
        guild, channel = job.guild, job.channel
        new = NewJob(job.kind, job.owner, guild, channel, job.request, job.base, job.dataset)
        again = await bot.store.jobs.queue(replace(new, private=job.private))
        await bot.follow.show(again.id)


class Tell(Button, verb="job:tell"):
    """Be told when the job ends."""

    label = wording.job.TELL

    async def press(self, interaction: Asked) -> None:
        """Remember who wants to know."""
        await touch(interaction)
        jobs = interaction.client.store.jobs
        job = await jobs.get(self.numbers[0])
        if job.guild != interaction.guild_id or job.kind is not Kind.TRAIN:
            raise UserError("job_unknown")
        if job.status.ended:
            raise UserError("job_ended", job=job.id)
        await jobs.add_watcher(job.id, interaction.user.id)
        await add(interaction, Wall(text(wording.job.TOLD)))
