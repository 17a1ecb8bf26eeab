"""The job feed: events of jobs become cards, threads, results and pings.

One task reads the events from a cursor in the database and adds what they have to tell to the
table of posts, together with the cursor, so a restart loses nothing and doubles nothing. The
ladder sends the posts. A card is edited when its job's status changes, else at most every
`SAFELIGHT_CARD_SECONDS`; one that is too old to edit is posted anew.
"""

from __future__ import annotations

import asyncio
import logging
import time

from discord.ext import tasks

from bot.actions.jobstate import JobState
from bot.bot import Bot, Interaction
from bot.card import Card
from bot.jobfeed.cards import JobCards, Pending, WatchedJob, WatchedJobs
from bot.jobfeed.contents import list_waiting
from bot.jobfeed.ladder import Ladder
from bot.jobfeed.loops import stop_loop
from bot.jobfeed.refusals import judge
from storage import disk
from storage.disk import FullDiskNotice
from storage.errors import UserError
from storage.events import Event, LogEntry, PreviewsDrawn, RateFound, StatusChanged
from storage.records import Job, Kind, Status
from storage.tables.posts import NewPost, Post, PostKind

log = logging.getLogger(__name__)

CURSOR_NAME = "bot"  #: of this reader in the table of cursors
SLACK_SECONDS = 0.25  #: seconds that two turns may be closer than the setting
SWEEP_SECONDS = 60.0  #: seconds between two looks for jobs whose member has left


class JobFollower:
    """Keeps the cards of jobs up to date; `bot.bot.JobFeed` to everybody else."""

    def __init__(self, bot: Bot) -> None:
        self.bot, self.store, self.cards = bot, bot.store, JobCards(bot)
        self.watched = WatchedJobs(bot)
        self.ladder = Ladder(bot, self.cards, self.watched)
        self.lock = asyncio.Lock()
        self.cursor: int | None = None
        home = bot.store.home.path
        self.notice = FullDiskNotice(home, "what happens in jobs is posted later")
        self.card_notice = FullDiskNotice(home, "new cards are posted later")
        self.disk_full = False  #: as the cards say
        self.swept = float("-inf")  #: monotonic seconds
        self.loop = tasks.loop(seconds=min(1.0, bot.settings.card_seconds))(self.update)
        self.loop.before_loop(bot.wait_until_ready)

    def start(self) -> None:
        """Start reading events once the bot is connected."""
        self.loop.start()

    async def close(self) -> None:
        """Stop reading events."""
        await stop_loop(self.loop)

    # for cards and commands ----------------------------------------------------------------------

    def expect(self, number: int, card: Card) -> None:
        """Keep the card that was just posted for a job up to date."""
        self.watched.known[number] = WatchedJob(
            number,
            JobState(),
            edited=time.monotonic(),
            posted=time.monotonic(),
            shown=Status.QUEUED,
            fingerprint=card.fingerprint(),
        )

    async def show(self, number: int) -> None:
        """Post or update a job's card now."""
        async with self.lock:
            watched = await self.watched.find(number)
            if watched is not None and not watched.compared:
                await self._update_card(watched)

    async def make_card(self, number: int) -> Card:
        """Return a new card of a job as it is now."""
        async with self.lock:
            watched = await self.watched.find(number)
            if watched is None:
                raise UserError("job_unknown")
            job = await self.store.jobs.get(number)
            if job.status.ended:
                self.watched.known.pop(number, None)
            return await self.cards.make_card(job, watched)

    async def show_result(self, interaction: Interaction, number: int) -> None:
        """Replace the card of a training's result by one of how the style is now."""
        async with self.lock:
            await self.ladder.show_result(interaction, number)

    def forget(self, number: int) -> None:
        """Leave a job's card alone from now on."""
        self.watched.forget(number)

    async def post(self, new: NewPost) -> Post:
        """Store a post, try once to send it, and return how far it came."""
        async with self.lock:
            (post,) = await self.store.posts.add(new)
            await self.ladder.attempt(post)
            return await self.store.posts.get(post) or post

    async def show_kept(self, interaction: Interaction) -> None:
        """Show a member the posts that no place took, after the answer to their command."""
        async with self.lock:
            await self.ladder.show_kept(interaction)

    # reading -------------------------------------------------------------------------------------

    async def update(self) -> None:
        """Read the new events, send what they tell, and update the cards that are due."""
        async with self.lock:
            try:
                self._look_at_disk()
                with self.notice.waiting():
                    await self._read_events()
                    await self.ladder.deliver()
                with self.card_notice.waiting():
                    for watched in tuple(self.watched.known.values()):
                        if self._is_due(watched):
                            await self._update_card(watched)
                    await self._check_ended_jobs()
            except Exception:
                if not self.bot.is_closed():  # else its connection is closed; the next bot goes on
                    log.exception("Bug while following the jobs")

    def _look_at_disk(self) -> None:
        """Have all cards say that the disk has become full, or that it no longer is."""
        full = disk.is_disk_full(self.store.home.path)
        if full is not self.disk_full:
            self.disk_full = full
            for watched in self.watched.known.values():
                watched.request_update(Pending.NOW)

    async def _read_events(self) -> None:
        if self.cursor is None:
            self.cursor = await self.store.events.read_cursor(CURSOR_NAME)
            for job in await self.store.jobs.list_open():
                await self.watched.find(job.id)
        while entries := await self.store.events.list_since(self.cursor):
            for entry in entries:
                if posts := await self._handle(entry):
                    await self.store.posts.add(*posts, cursor=(CURSOR_NAME, entry.id))
                self.cursor = entry.id
            await self.store.events.save_cursor(CURSOR_NAME, self.cursor)

    async def _handle(self, entry: LogEntry[Event]) -> list[NewPost]:
        """Take an event into the job's state, and return what is to be posted of it."""
        watched = await self.watched.find(entry.job)
        if watched is None:
            return await self._list_graded_posts(entry)
        event = entry.event
        watched.state.apply(entry)
        watched.request_update(Pending.SOON)
        kinds: list[PostKind] = []
        job = await self.store.jobs.get(entry.job)
        if watched.compared:  # the card of its comparison shows this one, too
            return []
        if isinstance(event, StatusChanged):
            watched.request_update(Pending.NOW)
            watched.lost = False
            for other in self.watched.known.values():
                if other.shown is Status.QUEUED:  # its place in the queue may be another now
                    other.request_update(Pending.SOON)
            kinds = await self._list_ending_posts(job, Status(event.status))
            watched.ended = bool(kinds)
        elif isinstance(event, PreviewsDrawn | RateFound) and job.kind is Kind.TRAIN:
            kinds = [PostKind.PREVIEWS]
        return [NewPost(kind, job.owner, job.guild, job.id, entry.id) for kind in kinds]

    async def _list_graded_posts(self, entry: LogEntry[Event]) -> list[NewPost]:
        """List what its owner is told when a report has ended, which has no card in a channel."""
        event = entry.event
        if not isinstance(event, StatusChanged):
            return []
        if Status(event.status) not in {Status.DONE, Status.FAILED}:
            return []
        try:
            job = await self.store.jobs.get(entry.job)
        except UserError:
            return []
        if job.kind is not Kind.GRADE or job.comparison is not None:
            return []
        return [NewPost(PostKind.GRADED, job.owner, job.guild, job.id, entry.id)]

    async def _list_ending_posts(self, job: Job, status: Status) -> list[PostKind]:
        """List what is posted when a job takes a status."""
        if not status.ended:
            return []
        if job.kind is Kind.SAMPLE:  # who cancels pictures has deleted their card
            return [] if status is Status.CANCELLED else [PostKind.PICTURES]
        if status is Status.DONE:
            return [PostKind.RESULT, PostKind.CARD]
        told = await list_waiting(self.bot, job)
        return [PostKind.ENDING, PostKind.CARD] if told else [PostKind.CARD]

    # cards ---------------------------------------------------------------------------------------

    def _is_due(self, watched: WatchedJob) -> bool:
        """Return whether a card must be updated in this turn."""
        if (
            watched.compared
            or watched.ended
            or (watched.lost and watched.pending is not Pending.NOW)
        ):
            return False
        wait = self.bot.settings.card_seconds - SLACK_SECONDS
        rested = time.monotonic() - watched.edited >= wait
        return watched.pending >= (Pending.SOON if rested else Pending.NOW)

    async def _update_card(self, watched: WatchedJob) -> None:
        """Post or edit a card; the owner is told, once, if Discord refuses it."""
        try:
            job = await self.store.jobs.get(watched.job)
        except UserError:
            self.watched.known.pop(watched.job, None)
            await self.cards.remove_card(watched)
            return
        watched.pending = Pending.NONE
        watched.edited = time.monotonic()
        try:
            await self.cards.update_card(job, watched)
        except Exception as error:
            verdict = judge(error)
            if verdict is None:
                if disk.is_full_disk_error(error):
                    watched.request_update(Pending.SOON)
                raise
            log.info("Job %s cannot be shown: %s", job.id, error)
            if verdict.transient:
                watched.request_update(Pending.SOON)
                return
            watched.lost, why = True, ("card", verdict.reason)
            lost = NewPost(PostKind.CARD_LOST, job.owner, job.guild, job.id, refusals=(why,))
            await self.store.posts.add(lost)
        if job.status.ended:
            self.watched.known.pop(job.id, None)

    async def _check_ended_jobs(self) -> None:
        """Once in SWEEP_SECONDS, leave jobs alone that are not open any more."""
        if time.monotonic() - self.swept < SWEEP_SECONDS:
            return
        self.swept = time.monotonic()
        known = {job.id for job in await self.store.jobs.list_open()}
        for watched in [one for one in self.watched.known.values() if one.job not in known]:
            if watched.compared or (watched.ended and await self._is_known(watched.job)):
                self.watched.known.pop(watched.job)  # the ladder finds it again if need be
            else:
                await self._update_card(watched)

    async def _is_known(self, number: int) -> bool:
        try:
            await self.store.jobs.get(number)
        except UserError:
            return False
        return True
