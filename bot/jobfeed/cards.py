"""The cards of jobs on Discord: posted, edited, posted anew when they are old, and removed."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import IntEnum
from functools import partial
from typing import Any

import discord

from bot.actions import channels
from bot.actions.jobstate import JobState
from bot.actions.sampling import SampleView, find_offer
from bot.bot import Bot
from bot.card import Card
from bot.cards.job import JobView, job_card
from bot.cards.jobpictures import read_pictures
from bot.cards.sample import sample_card
from bot.jobfeed.refusals import TOO_MANY_EDITS
from storage.disk import is_disk_full
from storage.errors import UserError
from storage.events import Note
from storage.records import Job, Kind, Status, Style

log = logging.getLogger(__name__)

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
    lost: bool = False  #: the card cannot be posted: wait for the next status
    compared: bool = False  #: the card of its comparison shows it, too
    ended: bool = False  #: the ladder shows the card's last state
    uncertain: bool = False  #: a card may have been posted that the store does not know of
    message: tuple[int, int, int] | None = None  #: channel, server and message id of the card
    posted: float | None = None  #: monotonic seconds; None if another process posted it
    fingerprint: list[Any] = field(default_factory=list)  #: of the card as it was posted last

    def request_update(self, pending: Pending) -> None:
        """Have the card updated at least so soon."""
        self.pending = max(self.pending, pending)


class WatchedJobs:
    """The jobs whose cards are kept up to date."""

    def __init__(self, bot: Bot) -> None:
        self.store = bot.store
        self.known: dict[int, WatchedJob] = {}
        self.dropped: set[int] = set()  #: jobs whose cards somebody deleted
        self.newest: int | None = None  #: the newest job when this process first asked

    async def find(self, number: int) -> WatchedJob | None:
        """Return a job that is watched, from now on if need be; None for one without a card."""
        if number in self.dropped:
            return None
        if self.newest is None:
            self.newest = await self.store.jobs.newest_id()
        if number not in self.known:
            try:
                job = await self.store.jobs.get(number)
            except UserError:
                return None
            if job.kind is Kind.CAPTION or not job.channel:
                return None
            state = JobState.from_events(await self.store.events.list_for_job(number))
            compared = job.comparison is not None
            known = WatchedJob(number, state, compared=compared, ended=job.status.ended)
            known.uncertain = number <= self.newest
            self.known[number] = known
        return self.known[number]

    async def read_state(self, number: int) -> JobState:
        """Return what a job has told so far; nothing of one that is gone."""
        watched = await self.find(number)
        return watched.state if watched else JobState()

    def forget(self, number: int) -> None:
        """Leave a job's card alone from now on."""
        self.dropped.add(number)
        self.known.pop(number, None)


def is_editable(message: int, watched: WatchedJob) -> bool:
    """Return whether Discord still allows to edit a card often.

    The clock may be wrong, so it only counts where this process has not posted the card itself.
    """
    if watched.posted is not None:
        return time.monotonic() - watched.posted < MAX_EDIT_AGE.total_seconds()
    return discord.utils.utcnow() - discord.utils.snowflake_time(message) < MAX_EDIT_AGE


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
        """Edit a job's card, or post a new one if it is gone or too old to edit.

        Raises UserError("disk_full") rather than post what cannot be recorded.
        """
        card = await self.make_card(job, watched)
        content = card.fingerprint()
        watched.shown = job.status
        if job.message:
            watched.message = (job.channel, job.guild, job.message)
        if job.message and is_editable(job.message, watched):
            if content == watched.fingerprint:
                return
            if await self._edit(job, card):
                watched.fingerprint = content
                return
            card = await self.make_card(job, watched)  # its files were read
        if watched.uncertain and await self._find_card(job, card, watched):
            await self.update_card(await self.store.jobs.get(job.id), watched)
            return
        watched.message = await self._post(job, card, watched)
        watched.fingerprint = content

    async def _edit(self, job: Job, card: Card) -> bool:
        """Edit a card; return whether it is still there and Discord allows one more edit."""
        room = channels.partial_messageable(self.bot, job.channel, job.guild)
        message = room.get_partial_message(job.message or 0)

        async def edit() -> None:
            await message.edit(view=card, attachments=card.open_files())

        try:
            await channels.reopening(self.bot, job.channel, edit)
        except discord.NotFound:
            return False
        except discord.HTTPException as refused:
            if refused.code != TOO_MANY_EDITS:
                raise
            return False
        return True

    async def _find_card(self, job: Job, card: Card, watched: WatchedJob) -> bool:
        """Take over a card that was posted, but not recorded; return whether there is one.

        It may show an earlier state of the job.
        """
        room = channels.partial_messageable(self.bot, job.channel, job.guild)
        marker, after = card.container.id or 0, job.message or 0
        found = await channels.find_posted(self.bot, room, marker, after)
        if found is not None:
            await self._record_card(job, found.id)
        watched.uncertain = False
        return found is not None

    async def _post(self, job: Job, card: Card, watched: WatchedJob) -> tuple[int, int, int]:
        """Post a card, remove the old one, and return its channel, server and message id."""
        if is_disk_full(self.store.home.path):
            raise UserError("disk_full")
        if job.private and not job.thread and job.kind is Kind.TRAIN:
            await self.store.jobs.set_thread(job.id, await channels.create_thread(self.bot, job))
            job = await self.store.jobs.get(job.id)
        room = channels.partial_messageable(self.bot, job.channel, job.guild)
        nonce = f"{job.id}-{(job.message or 0) % 10**8}-card"
        watched.uncertain = True
        send = partial(channels.post, room, card, nonce)
        message = await channels.reopening(self.bot, job.channel, send)
        await self._record_card(job, message.id)
        watched.uncertain, watched.posted = False, time.monotonic()
        return job.channel, job.guild, message.id

    async def _record_card(self, job: Job, message: int) -> None:
        """Record a job's new card, and remove the old one."""
        await self.store.jobs.set_card(job.id, job.channel, message, job.thread)
        if job.message:
            with suppress(discord.HTTPException):
                await channels.remove_message(self.bot, job.channel, job.guild, job.message)

    async def make_card(self, job: Job, watched: WatchedJob) -> Card:
        """Return a job's card as the job is now, or as it stays as long as the disk is full."""
        state = watched.state
        if is_disk_full(self.store.home.path) and not job.status.ended:
            state = replace(state, note=Note("disk_full"))
        if job.kind is Kind.SAMPLE:
            card = await self.make_sample_card(job, state)
        else:
            card = job_card(self.store.home, await self.view_job(job, state))
        return channels.mark_card(card, job)

    async def make_sample_card(self, job: Job, state: JobState) -> Card:
        """Return the card of pictures on demand as they are now."""
        return sample_card(self.store.home, await self.view_sample(job), state)

    async def view_job(self, job: Job, state: JobState) -> JobView:
        """Return what the cards of a training show, with its pictures read."""
        await read_pictures(self.store.home, job, state)
        catalog = await self.store.catalog.read()
        method = catalog.method_title(str(job.request.get("method", "")))
        titles = catalog.base_title(job.base), method
        place, result = await self.store.jobs.queue_position(job.id), ""
        if posted := await self.store.posts.find_result(job.id):
            result = f"https://discord.com/channels/{job.guild}/{posted.channel}/{posted.message}"
        return JobView(job, state, *titles, place, result)

    async def view_sample(self, job: Job) -> SampleView:
        """Return what the card of a sample shows."""
        base = (await self.store.catalog.read()).get_base(job.base)
        place = await self.store.jobs.queue_position(job.id)
        offer = await find_offer(self.store, job)
        return SampleView(job, await self.find_style(job), base, place, offer)

    async def find_style(self, job: Job) -> Style | None:
        """Return the style that a job draws with or has made; None without one."""
        if job.style is None:
            return None
        with suppress(UserError):
            return await self.store.styles.get(job.style, job.owner, job.guild)
        return None
