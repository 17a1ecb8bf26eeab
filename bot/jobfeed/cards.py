"""The cards of jobs on Discord: posted, edited, posted anew when they are old, and removed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum
from typing import Any, TypeAlias, TypeVar

import discord

from bot import wording
from bot.actions import channels
from bot.actions.jobstate import JobState
from bot.actions.sampling import SampleView
from bot.bot import Bot
from bot.card import Card
from bot.cards.job import JobView, job_card
from bot.cards.sample import sample_card
from storage.errors import UserError
from storage.records import Job, Kind, Status, Style

log = logging.getLogger(__name__)

T = TypeVar("T")
#: Posts something to a channel or thread.
PostTo: TypeAlias = "Callable[[discord.PartialMessageable], Awaitable[T]]"

MAX_EDIT_AGE = timedelta(minutes=50)  #: after an hour Discord allows hardly any edits


class Pending(IntEnum):
    """How soon a card must be updated."""

    NONE = 0
    SOON = 1  #: something has changed: when SAFELIGHT_CARD_SECONDS are over
    NOW = 2  #: its status has changed, or somebody asks


@dataclass(slots=True)
class WatchedJob:
    """A job whose card is kept up to date."""

    job: int
    state: JobState
    edited: float = float("-inf")  #: monotonic seconds
    pending: Pending = Pending.NOW
    shown: Status | None = None  #: the status on the card; a queued job's card has its place
    lost: bool = False  #: the owner knows that the card cannot be posted
    threadless: bool = False  #: no thread can be created below the card
    result: str = ""  #: URL of the message with the file
    message: tuple[int, int, int] | None = None  #: channel, server and message id of the card
    payload: list[Any] = field(default_factory=list)  #: as it was posted last

    def request_update(self, pending: Pending) -> None:
        """Have the card updated at least so soon."""
        self.pending = max(self.pending, pending)


class JobCards:
    """Posts, edits and removes the cards of jobs."""

    def __init__(self, bot: Bot) -> None:
        self.bot, self.store = bot, bot.store

    async def remove_card(self, watched: WatchedJob) -> None:
        """Remove the card of a job whose member has left."""
        if watched.message is not None:
            with suppress(discord.HTTPException):
                await channels.remove_message(self.bot, *watched.message)

    async def update_card(self, job: Job, watched: WatchedJob) -> None:
        """Edit a job's card, or post a new one if it is gone or too old to edit."""
        card = await self.make_card(job, watched)
        content = card.payload()
        watched.shown = job.status
        if job.message:
            watched.message = (job.channel, job.guild, job.message)
        if job.message and self._is_editable(job.message):
            if content == watched.payload and not card.paths:
                return
            with suppress(discord.NotFound):
                room = channels.partial_messageable(self.bot, job.channel, job.guild)
                message = room.get_partial_message(job.message)
                await message.edit(view=card, attachments=card.open_files())
                watched.payload = content
                return
            card = await self.make_card(job, watched)  # somebody deleted it; the files were read
        watched.message = await self._post(job, card)
        watched.payload = content

    def _is_editable(self, message: int) -> bool:
        return discord.utils.utcnow() - discord.utils.snowflake_time(message) < MAX_EDIT_AGE

    async def _post(self, job: Job, card: Card) -> tuple[int, int, int]:
        """Post a card, remove the old one, and return its channel, server and message id."""
        channel, thread = job.channel, job.thread
        if job.private and not job.message and job.kind is Kind.TRAIN:
            channel = thread = await channels.create_private_thread(self.bot, job)
        room = channels.partial_messageable(self.bot, channel, job.guild)
        message = await room.send(view=card, files=card.open_files())
        await self.store.jobs.set_card(job.id, channel, message.id, thread)
        if job.message:
            with suppress(discord.HTTPException):
                await channels.remove_message(self.bot, job.channel, job.guild, job.message)
        return channel, job.guild, message.id

    async def make_card(self, job: Job, watched: WatchedJob) -> Card:
        """Return a job's card as the job is now."""
        home = self.store.home
        if job.kind is Kind.SAMPLE:
            return sample_card(home, await self.view_sample(job), watched.state)
        return job_card(home, await self.view_job(job, watched))

    async def view_job(self, job: Job, watched: WatchedJob) -> JobView:
        """Return what the cards of a training show."""
        catalog = await self.store.catalog.read()
        method = catalog.method_title(str(job.request.get("method", "")))
        titles = catalog.base_title(job.base), method
        place, result = await self.store.jobs.queue_position(job.id), watched.result
        return JobView(job, watched.state, *titles, place, result, watched.threadless)

    async def view_sample(self, job: Job) -> SampleView:
        """Return what the card of a sample shows."""
        base = (await self.store.catalog.read()).get_base(job.base)
        place = await self.store.jobs.queue_position(job.id)
        return SampleView(job, await self.find_style(job), base, place)

    async def find_style(self, job: Job) -> Style | None:
        """Return the style that a job draws with or has made; None without one."""
        if job.style is None:
            return None
        with suppress(UserError):
            return await self.store.styles.get(job.style, job.owner, job.guild)
        return None

    async def report_lost_card(self, watched: WatchedJob, closed: discord.HTTPException) -> None:
        """Tell a job's owner, once, that its card cannot be posted."""
        log.info("Job %s cannot be shown: %s", watched.job, closed)
        if watched.lost:
            return
        watched.lost = True
        job = await self.store.jobs.get(watched.job)
        name = str(job.request.get("name") or job.request.get("prompt", ""))
        gone = isinstance(closed, discord.NotFound)
        why = wording.job.CARD_LOST_GONE if gone else wording.job.CARD_LOST_FORBIDDEN
        said = wording.say(wording.job.CARD_LOST, name=name, channel=job.channel, why=why)
        with suppress(discord.HTTPException):
            room = await self.bot.create_dm(discord.Object(job.owner))
            await room.send(said)

    async def post_below(self, job: Job, watched: WatchedJob, post: PostTo[T]) -> T:
        """Post something in a job's thread; in its channel where there can be no thread."""
        thread = await self._find_thread(job, watched)
        channel = channels.partial_messageable(self.bot, job.channel, job.guild)
        if thread is None:
            return await post(channel)
        try:
            return await post(channels.partial_messageable(self.bot, thread, job.guild))
        except discord.NotFound:  # somebody deleted the thread
            watched.threadless = True
            await self.store.jobs.set_card(job.id, job.channel, job.message or 0, None)
            return await post(channel)

    async def _find_thread(self, job: Job, watched: WatchedJob) -> int | None:
        """Return a job's thread, created if there is none; None where there can be none.

        A private job's channel is a thread already.
        """
        if job.private or job.thread is not None:
            return None if job.private else job.thread
        if watched.threadless or not self.bot.settings.create_threads:
            return None
        try:
            thread = await channels.create_thread(self.bot, job)
        except discord.HTTPException as refused:
            log.info("No thread for job %s: %s", job.id, refused)
            watched.threadless = True
            return None
        if thread is not None:
            await self.store.jobs.set_card(job.id, job.channel, job.message or 0, thread)
        return thread
