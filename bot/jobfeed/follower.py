"""The job feed: events of jobs become cards, threads, results and pings.

One task reads the events from a cursor in the database, so a restart loses nothing. A card is
edited when its job's status changes, else at most every `SAFELIGHT_CARD_SECONDS`; one that is too
old to edit is posted anew.
"""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial

import aiohttp
import discord
from discord.ext import tasks

from bot.actions import delivery
from bot.actions.jobstate import JobState
from bot.bot import Bot
from bot.card import Card
from bot.cards import result as results
from bot.cards.job import JobView
from bot.jobfeed.cards import JobCards, Pending, WatchedJob
from storage.errors import UserError
from storage.events import Event, LogEntry, PreviewsDrawn, StatusChanged
from storage.records import Job, Kind, Status

log = logging.getLogger(__name__)

CURSOR_NAME = "bot"  #: of this reader in the table of cursors
SLACK_SECONDS = 0.25  #: seconds that two turns may be closer than the setting
ENDED = frozenset(status for status in Status if status.ended)
SHOWN = frozenset({Kind.TRAIN, Kind.SAMPLE})
MAX_TRIES = 20  #: of an event while Discord does not answer
SWEEP_SECONDS = 60.0  #: seconds between two looks for jobs whose member has left
CHANNEL_GONE = (discord.Forbidden, discord.NotFound)


class JobFollower:
    """Keeps the cards of jobs up to date; `bot.bot.JobFeed` to everybody else."""

    def __init__(self, bot: Bot) -> None:
        self.bot, self.store, self.cards = bot, bot.store, JobCards(bot)
        self.watched: dict[int, WatchedJob] = {}
        self.dropped: set[int] = set()  #: jobs whose cards somebody deleted
        self.lock = asyncio.Lock()
        self.cursor: int | None = None
        self.tries = 0  #: of the event after the cursor
        self.swept = float("-inf")  #: monotonic seconds
        self.loop = tasks.loop(seconds=min(1.0, bot.settings.card_seconds))(self.update)
        self.loop.before_loop(bot.wait_until_ready)

    def start(self) -> None:
        """Start reading events once the bot is connected."""
        self.loop.start()

    async def close(self) -> None:
        """Stop reading events."""
        task = self.loop.get_task()
        self.loop.cancel()
        if task is not None:
            await asyncio.wait([task])

    # for cards and commands ----------------------------------------------------------------------

    def expect(self, number: int, card: Card) -> None:
        """Keep the card that was just posted for a job up to date."""
        self.watched[number] = WatchedJob(
            number,
            JobState(),
            edited=time.monotonic(),
            shown=Status.QUEUED,
            payload=card.payload(),
        )

    async def show(self, number: int) -> None:
        """Post or update a job's card now."""
        async with self.lock:
            watched = await self._find_watched(number)
            if watched is not None:
                watched.request_update(Pending.NOW)
                try:
                    await self._update_card(watched)
                except Exception as error:
                    if not is_transient(error):  # else the next turn tries again
                        raise

    async def make_card(self, number: int) -> Card:
        """Return a new card of a job as it is now."""
        async with self.lock:
            watched = await self._find_watched(number)
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

    # reading -------------------------------------------------------------------------------------

    async def update(self) -> None:
        """Read the new events, then update the cards that are due."""
        async with self.lock:
            try:
                await self._read_events()
                for watched in tuple(self.watched.values()):
                    if self._is_due(watched):
                        await self._update_card(watched)
                await self._check_ended_jobs()
            except Exception as error:
                if not is_transient(error):
                    log.exception("Bug while following the jobs")
                log.info("Discord did not answer, trying again: %s", error)

    async def _read_events(self) -> None:
        if self.cursor is None:
            self.cursor = await self.store.events.read_cursor(CURSOR_NAME)
            for job in await self.store.jobs.list_open():
                await self._find_watched(job.id)
        while entries := await self.store.events.list_since(self.cursor):
            for entry in entries:
                await self._handle(entry)
                self.cursor, self.tries = entry.id, 0
                if isinstance(
                    entry.event, PreviewsDrawn | StatusChanged
                ):  # these post: never twice
                    await self.store.events.save_cursor(CURSOR_NAME, entry.id)
            await self.store.events.save_cursor(CURSOR_NAME, self.cursor)

    async def _handle(self, entry: LogEntry[Event]) -> None:
        watched = await self._find_watched(entry.job)
        if watched is None:
            return
        try:
            await self._apply(watched, entry)
        except CHANNEL_GONE as closed:
            await self.cards.report_lost_card(watched, closed)
        except Exception as error:
            self.tries += 1
            if is_transient(error) and self.tries < MAX_TRIES:
                raise
            log.exception("Bug with event %s of job %s", entry.id, entry.job)

    async def _apply(self, watched: WatchedJob, entry: LogEntry[Event]) -> None:
        event = entry.event
        watched.state.apply(entry)
        watched.request_update(Pending.SOON)
        if isinstance(event, StatusChanged):
            watched.request_update(Pending.NOW)
            watched.lost = False
            for other in self.watched.values():
                if other.shown is Status.QUEUED:  # its place in the queue may be another now
                    other.request_update(Pending.SOON)
            if event.status in ENDED:
                await self._post_ending(watched)
        elif isinstance(event, PreviewsDrawn):
            await self._post_previews(watched, event)

    async def _find_watched(self, number: int) -> WatchedJob | None:
        """Return a job that is watched, from now on if need be; None for one without a card."""
        if number in self.dropped:
            return None
        if number not in self.watched:
            try:
                job = await self.store.jobs.get(number)
            except UserError:
                return None
            if job.kind not in SHOWN:
                return None
            state = JobState.from_events(await self.store.events.list_for_job(number))
            self.watched[number] = WatchedJob(number, state)
        return self.watched[number]

    # cards ---------------------------------------------------------------------------------------

    def _is_due(self, watched: WatchedJob) -> bool:
        """Return whether a card must be updated in this turn."""
        if watched.lost and watched.pending is not Pending.NOW:
            return False
        wait = self.bot.settings.card_seconds - SLACK_SECONDS
        rested = time.monotonic() - watched.edited >= wait
        return watched.pending >= (Pending.SOON if rested else Pending.NOW)

    async def _update_card(self, watched: WatchedJob) -> None:
        """Post or edit a card; the owner is told if Discord forbids it."""
        try:
            job = await self.store.jobs.get(watched.job)
        except UserError:
            self.watched.pop(watched.job, None)
            await self.cards.remove_card(watched)
            return
        watched.pending = Pending.NONE
        watched.edited = time.monotonic()
        try:
            await self.cards.update_card(job, watched)
        except CHANNEL_GONE as closed:
            await self.cards.report_lost_card(watched, closed)
        except Exception as error:
            if is_transient(error):
                watched.request_update(Pending.NOW)
                raise
            if not isinstance(error, discord.HTTPException):
                raise
            log.warning("Card of job %s: %s", job.id, error)
        if job.status.ended:
            self.watched.pop(job.id, None)

    async def _check_ended_jobs(self) -> None:
        """Once in SWEEP_SECONDS, update the cards of jobs that are not open any more."""
        if time.monotonic() - self.swept < SWEEP_SECONDS:
            return
        self.swept = time.monotonic()
        known = {job.id for job in await self.store.jobs.list_open()}
        for watched in [one for one in self.watched.values() if one.job not in known]:
            await self._update_card(watched)

    # samples, results, pings ---------------------------------------------------------------------

    async def _post_previews(self, watched: WatchedJob, previews: PreviewsDrawn) -> None:
        """Post a training's previews below its card."""
        job = await self._ensure_card(watched)
        view = await self.cards.view_job(job, watched)

        async def post(room: discord.PartialMessageable) -> None:
            card = results.step_card(self.store.home, view, previews)
            if card.paths:
                await room.send(view=card, files=card.open_files())

        await self.cards.post_below(job, watched, post)

    async def _ensure_card(self, watched: WatchedJob) -> Job:
        """Return a job whose card is posted."""
        job = await self.store.jobs.get(watched.job)
        if job.message is None:
            await self.cards.update_card(job, watched)
            job = await self.store.jobs.get(watched.job)
        return job

    async def _post_ending(self, watched: WatchedJob) -> None:
        """Post a training's result, or that there is none, and ping those who wait."""
        job = await self.store.jobs.get(watched.job)
        if job.kind is not Kind.TRAIN or not job.status.ended:
            return
        pinged = await self._list_pinged(job)
        view = await self.cards.view_job(await self._ensure_card(watched), watched)
        style = await self.cards.find_style(job)
        if job.status is Status.DONE and style is not None:
            base = (await self.store.catalog.read()).get_base(job.base)
            result = results.Result(view, style, base, pinged)
            posted = await self.cards.post_below(
                view.job, watched, partial(self._post_result, result)
            )
            watched.result = posted.jump_url
        elif pinged:
            await self.cards.post_below(
                view.job, watched, partial(self._post_notice, view, pinged)
            )

    async def _post_notice(
        self, view: JobView, pinged: list[int], room: discord.PartialMessageable
    ) -> None:
        card = results.ending_card(view, pinged)
        await room.send(view=card, allowed_mentions=results.allow_mentions(pinged))

    async def _post_result(
        self, result: results.Result, room: discord.PartialMessageable
    ) -> discord.Message:
        max_bytes = delivery.max_file_bytes(room.guild, self.bot.settings.upload_mib)
        return await delivery.post_file(
            room,
            delivery.list_handovers(
                self.bot, result.style, max_bytes, result.view.state.done.small_copy
            ),
            lambda handover: results.result_card(self.store.home, result, handover),
            results.allow_mentions(result.pinged),
        )

    async def _list_pinged(self, job: Job) -> list[int]:
        """List the owner and those who asked to be told, but not who cancelled the job."""
        everyone = dict.fromkeys([job.owner, *await self.store.jobs.list_watchers(job.id)])
        if job.status is Status.CANCELLED:
            everyone.pop(job.requested_by or 0, None)
        return list(everyone)


def is_transient(error: Exception) -> bool:
    """Return whether an error is the network's or Discord's own, so that a retry may help."""
    if isinstance(error, discord.HTTPException):
        return error.status >= 500
    return isinstance(error, aiohttp.ClientError | ConnectionError | TimeoutError)
