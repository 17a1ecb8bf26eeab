"""Following the jobs: their events become cards, threads, results and pings.

One task reads the events on from a cursor in the database, so a restart loses nothing. A card is
edited when its job changes its status, else at most every `SAFELIGHT_CARD_SECONDS`; one that is
too old to edit is posted anew.
"""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from typing import TYPE_CHECKING

import aiohttp
import discord
from discord.ext import tasks

from bot.actions import delivery
from bot.actions.jobstate import JobState
from bot.cards import result as results
from bot.cards.style import find_base
from bot.jobfeed.cards import JobCards, WatchedJob
from storage.errors import UserError
from storage.events import PreviewsDrawn, StatusChanged
from storage.records import Kind, Status

if TYPE_CHECKING:
    from bot.bot import Bot
    from bot.card import Card
    from bot.cards.job import JobView
    from storage.events import Event, LogEntry
    from storage.records import Job

log = logging.getLogger(__name__)

CURSOR_NAME = "bot"  #: whose cursor it is
SLACK_SECONDS = 0.25  #: seconds that two turns may be closer than the setting
ENDED = frozenset(status for status in Status if status.ended)
SHOWN = frozenset({Kind.TRAIN, Kind.SAMPLE})
MAX_TRIES = 20  #: of an event while Discord does not answer
SWEEP_SECONDS = 60.0  #: seconds between two looks for jobs whose member has left
CHANNEL_GONE = (discord.Forbidden, discord.NotFound)


class JobFollower:
    """Keeps every card as its job is."""

    def __init__(self, bot: Bot) -> None:
        self.bot, self.store, self.cards = bot, bot.store, JobCards(bot)
        self.watched: dict[int, WatchedJob] = {}
        self.dropped: set[int] = set()  #: jobs whose cards somebody deleted
        self.lock = asyncio.Lock()
        self.cursor: int | None = None
        self.tries = 0  #: of the event after the cursor
        self.swept = float("-inf")  #: monotonic seconds
        self.loop = tasks.loop(seconds=min(1.0, bot.settings.seconds))(self.update)
        self.loop.before_loop(bot.wait_until_ready)

    def start(self) -> None:
        """Begin to follow, as soon as Discord is there."""
        self.loop.start()

    async def close(self) -> None:
        """Stop following."""
        task = self.loop.get_task()
        self.loop.cancel()
        if task is not None:
            await asyncio.wait([task])

    # what others ask -----------------------------------------------------------------------------

    def expect(self, number: int, card: Card) -> None:
        """Take note of a job whose card was just posted."""
        last = card.payload()
        self.watched[number] = WatchedJob(
            number, JobState(), time.monotonic(), waiting=True, last=last
        )

    async def show(self, number: int) -> None:
        """Bring a job's card up to date, at once."""
        async with self.lock:
            watched = await self._watch(number)
            if watched is not None:
                watched.now = True
                try:
                    await self._refresh(watched)
                except Exception as error:
                    if not is_transient(error):  # else the next turn tries again
                        raise

    async def make_card(self, number: int) -> Card:
        """Lay a job's card out as it stands, for somebody who asks."""
        async with self.lock:
            watched = await self._watch(number)
            if watched is None:
                raise UserError("job_unknown")
            job = await self.store.jobs.get(number)
            if job.status.ended:
                self.watched.pop(number, None)
            return await self.cards.make_card(job, watched)

    def forget(self, number: int) -> None:
        """Leave a job's card alone from now on."""
        self.dropped.add(number)
        self.watched.pop(number, None)

    async def remove_message(self, channel: int, guild: int, message: int) -> None:
        """Delete one of the bot's messages, unless it is gone already."""
        await self.cards.remove_message(channel, guild, message)

    # reading -------------------------------------------------------------------------------------

    async def update(self) -> None:
        """Read what is new, then bring the cards up to date."""
        async with self.lock:
            try:
                await self._read()
                for watched in tuple(self.watched.values()):
                    if self._pressing(watched):
                        await self._refresh(watched)
                await self._sweep()
            except Exception as error:
                if not is_transient(error):
                    log.exception("Bug while following the jobs")
                log.info("Discord did not answer, trying again: %s", error)

    async def _read(self) -> None:
        if self.cursor is None:
            self.cursor = await self.store.events.cursor(CURSOR_NAME)
            for job in await self.store.jobs.list_open():
                await self._watch(job.id)
        while entries := await self.store.events.since(self.cursor):
            for entry in entries:
                await self._take(entry)
                self.cursor, self.tries = entry.id, 0
                if isinstance(
                    entry.event, PreviewsDrawn | StatusChanged
                ):  # these post: never twice
                    await self.store.events.advance(CURSOR_NAME, entry.id)
            await self.store.events.advance(CURSOR_NAME, self.cursor)

    async def _take(self, entry: LogEntry[Event]) -> None:
        watched = await self._watch(entry.job)
        if watched is None:
            return
        try:
            await self._tell(watched, entry)
        except CHANNEL_GONE as closed:
            await self.cards.report_lost_card(watched, closed)
        except Exception as error:
            self.tries += 1
            if is_transient(error) and self.tries < MAX_TRIES:
                raise
            log.exception("Bug with event %s of job %s", entry.id, entry.job)

    async def _tell(self, watched: WatchedJob, entry: LogEntry[Event]) -> None:
        event = entry.event
        watched.state.apply(entry)
        watched.due = True
        if isinstance(event, StatusChanged):
            watched.now, watched.lost = True, False
            for other in self.watched.values():
                other.due |= other.waiting
            if event.status in ENDED:
                await self._ended(watched)
        elif isinstance(event, PreviewsDrawn):
            await self._sampled(watched, event)

    async def _watch(self, number: int) -> WatchedJob | None:
        """Return what is known of a job; None for one that has no card."""
        if number in self.dropped:
            return None
        if number not in self.watched:
            try:
                job = await self.store.jobs.get(number)
            except UserError:
                return None
            if job.kind not in SHOWN:
                return None
            state = JobState.from_events(await self.store.events.of(number))
            self.watched[number] = WatchedJob(number, state)
        return self.watched[number]

    # cards ---------------------------------------------------------------------------------------

    def _pressing(self, watched: WatchedJob) -> bool:
        if watched.now:
            return True
        quiet = time.monotonic() - watched.edited
        return (
            watched.due and not watched.lost and quiet >= self.bot.settings.seconds - SLACK_SECONDS
        )

    async def _refresh(self, watched: WatchedJob) -> None:
        """Post or edit a card; what is in the way becomes a sentence, not a crash."""
        try:
            job = await self.store.jobs.get(watched.job)
        except UserError:
            self.watched.pop(watched.job, None)
            await self.cards.remove_card(watched)
            return
        watched.due = watched.now = False
        watched.edited = time.monotonic()
        try:
            await self.cards.update_card(job, watched)
        except CHANNEL_GONE as closed:
            await self.cards.report_lost_card(watched, closed)
        except Exception as error:
            watched.now = is_transient(error)
            if watched.now or not isinstance(error, discord.HTTPException):
                raise
            log.warning("Card of job %s: %s", job.id, error)
        if job.status.ended:
            self.watched.pop(job.id, None)

    async def _sweep(self) -> None:
        """Look, now and then, for cards of jobs that are no more."""
        if time.monotonic() - self.swept < SWEEP_SECONDS:
            return
        self.swept = time.monotonic()
        known = {job.id for job in await self.store.jobs.list_open()}
        for watched in [one for one in self.watched.values() if one.job not in known]:
            await self._refresh(watched)

    # samples, results, pings ---------------------------------------------------------------------

    async def _sampled(self, watched: WatchedJob, previews: PreviewsDrawn) -> None:
        """Post what a training draws on the way."""
        job = await self._posted(watched)
        view = await self.cards.view_job(job, watched)

        async def post(room: discord.PartialMessageable) -> None:
            card = results.step_card(self.store.home, view, previews)
            if card.paths:
                await room.send(view=card, files=card.open_files())

        await self.cards.post_below(job, watched, post)

    async def _posted(self, watched: WatchedJob) -> Job:
        """Return a job whose card is there: samples come below it."""
        job = await self.store.jobs.get(watched.job)
        if job.message is None:
            await self.cards.update_card(job, watched)
            job = await self.store.jobs.get(watched.job)
        return job

    async def _ended(self, watched: WatchedJob) -> None:
        """Hand over what a training made, or tell those who wait that it made nothing."""
        job = await self.store.jobs.get(watched.job)
        if job.kind is not Kind.TRAIN or not job.status.ended:
            return
        told = await self._told(job)
        view = await self.cards.view_job(await self._posted(watched), watched)
        style = await self.cards.find_style(job)
        if job.status is Status.DONE and style is not None:
            base = await find_base(self.bot, job.base)
            result = results.Result(view, style, base, told)
            posted = await self.cards.post_below(view.job, watched, partial(self._deliver, result))
            watched.result = posted.jump_url
        elif told:
            await self.cards.post_below(view.job, watched, partial(self._tell_end, view, told))

    async def _tell_end(
        self, view: JobView, told: list[int], room: discord.PartialMessageable
    ) -> None:
        card = results.ending_card(view, told)
        await room.send(view=card, allowed_mentions=results.allow_mentions(told))

    async def _deliver(
        self, result: results.Result, room: discord.PartialMessageable
    ) -> discord.Message:
        max_bytes = delivery.max_file_bytes(room.guild, self.bot.settings.upload)
        return await delivery.post_file(
            room,
            delivery.list_handovers(
                self.bot, result.style, max_bytes, result.view.state.done.small_copy
            ),
            lambda handover: results.result_card(self.store.home, result, handover),
            results.allow_mentions(result.pinged),
        )

    async def _told(self, job: Job) -> list[int]:
        """List who is pinged: the owner and those who asked to be told, not who ended it."""
        everyone = dict.fromkeys([job.owner, *await self.store.jobs.list_watchers(job.id)])
        if job.status is Status.CANCELLED:
            everyone.pop(job.requested_by or 0, None)
        return list(everyone)


def is_transient(error: Exception) -> bool:
    """Return whether an error is the network's or Discord's own: worth another try."""
    if isinstance(error, discord.HTTPException):
        return error.status >= 500
    return isinstance(error, aiohttp.ClientError | ConnectionError | TimeoutError)
