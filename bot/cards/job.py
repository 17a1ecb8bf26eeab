"""The job card: the progress of a training, and the buttons that control it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import discord

from bot import wording
from bot.actions.jobstate import JobState
from bot.actions.permissions import check_may_train_again, is_moderator, refusing_duplicates
from bot.bot import Interaction
from bot.card import Card
from bot.cards.components import Button, defer_update, edit, follow_up, row, text
from bot.cards.jobpictures import Animate, Details, add_newest_sample, add_strip
from bot.cards.upscaled import PictureCard
from bot.wording import fill, say
from storage import disk
from storage.errors import JobError, UserError
from storage.events import Note, Started
from storage.folders import Home
from storage.records import Job, JobCommand, Kind, NewJob, Status

COLOURS = {
    Status.QUEUED: 0x8A8F98,
    Status.RUNNING: 0xF0A020,
    Status.PAUSED: 0x8A8F98,
    Status.DONE: 0x3BA55D,
    Status.FAILED: 0xD83C3E,
    Status.CANCELLED: 0x8A8F98,
}
#: codes of notes that stay on the card: what is wrong with the captions or with the training
LASTING_NOTES = ("captions_cut", "diverging", "not_learning", "overfitting", "copies_photo")
BAR_CELLS = 12  #: of the progress bar


@dataclass(frozen=True, slots=True)
class JobView:
    """A job with what its card shows beside it."""

    job: Job
    state: JobState
    base: str  #: its title
    method: str  #: its title
    place: int = 0  #: in the queue
    result: str = ""  #: address of the result's message

    @property
    def name(self) -> str:
        """The dataset's name or the prompt."""
        return str(self.job.request.get("name") or self.job.request.get("prompt", ""))

    @property
    def steps(self) -> int:
        """The number of steps to train."""
        known = self.state.progress or self.state.started
        request = self.job.request
        return known.steps if known else request.get("stop_after") or int(request.get("steps", 0))


def job_card(home: Home, view: JobView) -> Card:
    """Return the card of a training."""
    job = view.job
    card = PictureCard(colour=COLOURS[job.status])
    title = say(wording.job.TITLE, name=view.name, method=view.method)
    by = say(wording.job.BY, owner=job.owner, base=view.base)
    if job.thread and not job.private:
        by += say(wording.job.THREAD, thread=job.thread)
    card.add(text(title, by))
    add_newest_sample(card, home, job, view.state)
    add_strip(card, home, job, view.state, view.steps)
    card.add(text(*state_lines(view)))
    buttons = job_buttons(job)
    return card.add(row(*buttons)) if buttons else card


def state_lines(view: JobView) -> Iterator[str]:
    """Yield where the job stands."""
    yield from LINES[view.job.status](view)
    notes, newest = view.state.notes, view.state.note
    lasting = [notes[code] for code in LASTING_NOTES if code in notes]
    for note in lasting:
        yield note_sentence(note)
    if newest and newest not in lasting and not view.job.status.ended:
        yield note_sentence(newest)


def queued_lines(view: JobView) -> Iterator[str]:
    """Yield the place in the queue, in as many lines as the progress has."""
    saved = view.state.saved_step  # it continues from there, wherever it was interrupted
    yield progress_bar(saved, view.steps)
    interrupted = view.job.attempts or view.job.interruptions
    resumed = saved > 0 and not interrupted
    if view.place > 1:
        template = wording.job.RESUMING_PLACE if resumed else wording.job.PLACE
        yield say(template, place=view.place)
    else:
        yield wording.job.RESUMING_NEXT if resumed else wording.job.PLACE_NEXT
    if interrupted:
        yield wording.job.INTERRUPTED if view.state.curve else wording.job.INTERRUPTED_EARLY
    else:
        yield say(wording.job.STEPS, steps=view.steps)


def running_lines(view: JobView) -> Iterator[str]:
    """Yield the progress and when it will be done."""
    job, state = view.job, view.state
    device = (state.started or Started(0, 0)).device
    yield progress_bar(state.step, view.steps)
    if state.progress is None:
        yield wording.job.STARTING
        yield say(wording.job.STEPS_ON, steps=view.steps, device=device)
    else:
        left = state.progress.eta_seconds - max(0.0, time.time() - state.progress_at)
        when = int(discord.utils.utcnow().timestamp() + max(1.0, left))
        yield say(wording.job.END_AT, when=when)
        if not job.requested:
            yield say(wording.job.STEP, step=state.step, steps=view.steps, device=device)
    if job.requested:
        yield wording.job.WISHES[job.requested]


def paused_lines(view: JobView) -> Iterator[str]:
    """Yield the step it stopped at."""
    yield progress_bar(view.state.step, view.steps)
    yield say(wording.job.PAUSED, step=view.state.step, steps=view.steps)


def done_lines(view: JobView) -> Iterator[str]:
    """Yield how it ended, and a link to the result."""
    end = view.state.done
    template = wording.job.DONE_EARLY if end.early else wording.job.DONE
    took = wording.format_duration(end.timings.seconds)
    yield say(template, steps=end.steps, time=took)
    if view.result:
        yield fill(wording.job.RESULT, url=view.result)


def failed_lines(view: JobView) -> Iterator[str]:
    """Yield why it failed, and the reference of a bug."""
    job = view.job
    yield fill(wording.job.FAILED, why=failure_sentence(job))
    reference = (job.error or {}).get("reference")
    if reference:
        yield say(wording.job.REFERENCE, reference=reference)


def failure_sentence(job: Job) -> str:
    """Return the sentence for the error that ended a job."""
    facts = dict(job.error or {"code": "bug", "reference": "?"})
    code = str(facts.pop("code", "unknown"))
    return wording.explain(JobError(code, **facts))


def cancelled_lines(view: JobView) -> Iterator[str]:
    """Yield when it was cancelled, and by whom if not by its owner."""
    job, step = view.job, view.state.step
    yield say(wording.job.CANCELLED, step=step) if job.started else wording.job.CANCELLED_WAITING
    if job.requested_by and job.requested_by != job.owner:
        yield say(wording.job.CANCELLED_BY, by=job.requested_by)


LINES = {
    Status.QUEUED: queued_lines,
    Status.RUNNING: running_lines,
    Status.PAUSED: paused_lines,
    Status.DONE: done_lines,
    Status.FAILED: failed_lines,
    Status.CANCELLED: cancelled_lines,
}


def note_sentence(noted: Note) -> str:
    """Return the sentence of a note."""
    if noted.code in wording.job.NOTES:
        return say(wording.job.NOTES[noted.code], **noted.facts)
    return wording.explain(JobError(noted.code, **noted.facts))


def progress_bar(step: int, steps: int) -> str:
    """Return a progress bar."""
    part = min(1.0, step / steps) if steps else 0.0
    full = round(part * BAR_CELLS)
    return f"{'▰' * full}{'▱' * (BAR_CELLS - full)}"


def job_buttons(job: Job) -> list[Button]:
    """Return the buttons that make sense for a job's status."""
    if job.status is Status.FAILED:
        return [Retry(job.id), Details(job.id)]
    if job.status is Status.CANCELLED and job.dataset is not None:
        return [Retry(job.id, label=wording.job.TRAIN_AGAIN), Details(job.id)]
    if job.status.ended:
        return [Animate(job.id), Details(job.id)] if job.status is Status.DONE else []
    requested = job.requested is not None
    if job.status is Status.PAUSED:
        first: list[Button] = [Resume(job.id), Cancel(job.id), Finish(job.id)]
    else:
        waits = job.status is Status.QUEUED
        off = requested and (waits or job.requested is not JobCommand.PAUSE)
        first = [
            Pause(job.id, disabled=requested or waits),
            Cancel(job.id, disabled=off),
            Finish(job.id, disabled=off or waits),
        ]
    return [*first, Watch(job.id), Details(job.id)]


async def get_controllable_job(interaction: Interaction, number: int) -> Job:
    """Return a job of the presser's own, or of a server where they are a moderator.

    Raises UserError("job_unknown") for any other.
    """
    job = await interaction.client.store.jobs.get(number)
    own = job.owner == interaction.user.id
    if not own and not (job.guild == interaction.guild_id and is_moderator(interaction)):
        raise UserError("job_unknown")
    return job


class CommandButton(Button, verb=""):
    """A button that sends a job a command."""

    command: ClassVar[JobCommand | None] = None

    async def press(self, interaction: Interaction) -> None:
        """Send the command, and show at once that it was received."""
        await defer_update(interaction)
        bot = interaction.client
        job = await get_controllable_job(interaction, self.number(0))
        if self.command is None:
            await bot.store.jobs.resume(job.id, interaction.user.id)
        else:
            await bot.store.jobs.send_command(job.id, self.command, interaction.user.id)
        if interaction.message is None or interaction.message.id != job.message:
            await edit(interaction, await bot.jobs.make_card(job.id))
        await bot.jobs.show(job.id)


class Pause(CommandButton, verb="job:pause"):
    """Pause the job; its checkpoint is kept."""

    label, command = wording.job.PAUSE, JobCommand.PAUSE


class Resume(CommandButton, verb="job:resume"):
    """Resume a paused job."""

    label, style = wording.job.RESUME, discord.ButtonStyle.primary


class Cancel(CommandButton, verb="job:cancel"):
    """Cancel the job; nothing of it is kept."""

    label, command, style = wording.job.CANCEL, JobCommand.CANCEL, discord.ButtonStyle.danger


class Finish(CommandButton, verb="job:finish"):
    """End the job here and keep what it has learned."""

    label, command, style = wording.job.FINISH, JobCommand.FINISH, discord.ButtonStyle.success


class Retry(Button, verb="job:retry"):
    """Queue a training again that failed or was cancelled."""

    label, style = wording.job.RETRY, discord.ButtonStyle.primary

    async def press(self, interaction: Interaction) -> None:
        """Queue the same request again, for the owner."""
        await defer_update(interaction)
        bot = interaction.client
        job = await bot.store.jobs.get_owned(self.number(0), interaction.user.id)
        if job.status not in {Status.FAILED, Status.CANCELLED} or job.dataset is None:
            raise UserError("job_unknown")
        with refusing_duplicates(interaction, "train"):
            await check_may_train_again(interaction, job.guild)
            disk.check_disk_space(bot.settings)
            guild, channel = job.guild, job.channel
            new = NewJob(job.kind, job.owner, guild, channel, job.request, job.base, job.dataset)
            again = await bot.store.jobs.queue(replace(new, private=job.private))
        await bot.jobs.show(again.id)


class Watch(Button, verb="job:tell"):
    """Be pinged when the job ends."""

    label = wording.job.TELL

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        jobs = interaction.client.store.jobs
        job = await jobs.get(self.number(0))
        if job.guild != interaction.guild_id or job.kind is not Kind.TRAIN:
            raise UserError("job_unknown")
        if job.status.ended:
            raise UserError("job_ended", job=job.id)
        await jobs.add_watcher(job.id, interaction.user.id)
        await follow_up(interaction, PictureCard(text(wording.job.WILL_NOTIFY)))
