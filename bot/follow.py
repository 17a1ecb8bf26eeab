"""Following the jobs: their events become cards, threads, results and pings.

One task reads the events on from a cursor in the database, so a restart loses nothing. A card is
edited when its job changes its status, else at most every `SAFELIGHT_CARD_SECONDS`; one that is
too old to edit is posted anew.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
from discord.ext import tasks

from bot import delivery, places, texts, wording
from bot.cards import result as results
from bot.cards.job import Scene, job_card
from bot.cards.sample import sample_card
from bot.cards.style import based
from bot.prompts import Drawing
from bot.story import Story
from storage.errors import UserError
from storage.records import Kind, Status

if TYPE_CHECKING:
    from bot.cards.parts import Card
    from bot.client import Bot
    from storage.records import Event, Job, Style

log = logging.getLogger(__name__)

READER = "bot"  #: whose cursor it is
FRESH = timedelta(minutes=50)  #: after an hour Discord allows hardly any edits
SLACK = 0.25  #: seconds that two turns may be closer than the setting
SHOWN = frozenset({Kind.TRAIN, Kind.SAMPLE})
#: What may pass: worth another try, though not for ever.
PASSING = (aiohttp.ClientError, ConnectionError, TimeoutError, discord.DiscordServerError)
TRIES = 20
CLOSED = (discord.Forbidden, discord.NotFound)


@dataclass(slots=True)
class Watched:
    """A job whose card is kept up to date."""

    job: int
    story: Story
    edited: float = float("-inf")  #: monotonic seconds
    due: bool = True  #: something has changed
    now: bool = True  #: something has changed that does not wait
    waiting: bool = False  #: it shows a place in the queue
    lost: bool = False  #: its owner was told that it cannot be posted
    threadless: bool = False
    result: str = ""
    last: list[Any] = field(default_factory=list)  #: what was posted last


class Follow:
    """Keeps every card as its job is."""

    def __init__(self, bot: Bot) -> None:
        self.bot, self.store = bot, bot.store
        self.watched: dict[int, Watched] = {}
        self.dropped: set[int] = set()  #: jobs whose cards somebody deleted
        self.lock = asyncio.Lock()
        self.cursor: int | None = None
        self.tries = 0  #: of the event after the cursor
        self.loop = tasks.loop(seconds=min(1.0, bot.settings.seconds))(self.turn)
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
        last = card.content()
        self.watched[number] = Watched(number, Story(), time.monotonic(), waiting=True, last=last)

    async def show(self, number: int) -> None:
        """Bring a job's card up to date, at once."""
        async with self.lock:
            watched = await self._watch(number)
            if watched is not None:
                watched.now = True
                with suppress(*PASSING):  # the next turn tries again
                    await self._refresh(watched)

    async def card(self, number: int) -> Card:
        """Lay a job's card out as it stands, for somebody who asks."""
        async with self.lock:
            watched = await self._watch(number)
            if watched is None:
                raise UserError("job_unknown")
            job = await self.store.jobs.get(number)
            if job.status.ended:
                self.watched.pop(number, None)
            return await self._card(job, watched)

    def forget(self, number: int) -> None:
        """Leave a job's card alone from now on."""
        self.dropped.add(number)
        self.watched.pop(number, None)

    async def remove(self, channel: int, guild: int, message: int) -> None:
        """Delete one of the bot's messages, unless it is gone already."""
        with suppress(discord.NotFound):
            await places.partial(self.bot, channel, guild).get_partial_message(message).delete()

    # reading -------------------------------------------------------------------------------------

    async def turn(self) -> None:
        """Read what is new, then bring the cards up to date."""
        async with self.lock:
            try:
                await self._read()
                for watched in tuple(self.watched.values()):
                    if self._pressing(watched):
                        await self._refresh(watched)
            except PASSING as trouble:
                log.info("Discord did not answer, trying again: %s", trouble)
            except Exception:
                log.exception("Bug while following the jobs")

    async def _read(self) -> None:
        if self.cursor is None:
            self.cursor = await self.store.events.cursor(READER)
            for job in await self.store.jobs.open():
                await self._watch(job.id)
        while events := await self.store.events.since(self.cursor):
            for event in events:
                await self._take(event)
                self.cursor, self.tries = event.id, 0
                if event.kind in {"sample", "status"}:  # these post: never twice
                    await self.store.events.advance(READER, event.id)
            await self.store.events.advance(READER, self.cursor)

    async def _take(self, event: Event) -> None:
        watched = await self._watch(event.job)
        if watched is None:
            return
        try:
            await self._tell(watched, event)
        except CLOSED as closed:
            await self._lose(watched, closed)
        except PASSING:
            self.tries += 1
            if self.tries < TRIES:
                raise
            log.warning("Gave up event %s of job %s", event.id, event.job)
        except Exception:
            log.exception("Bug with event %s of job %s", event.id, event.job)

    async def _tell(self, watched: Watched, event: Event) -> None:
        watched.story.add(event)
        watched.due = True
        if event.kind == "status":
            watched.now, watched.lost = True, False
            for other in self.watched.values():
                other.due |= other.waiting
            if Status(event.facts["status"]).ended:
                await self._ended(watched)
        elif event.kind == "sample":
            await self._sampled(watched, event)

    async def _watch(self, number: int) -> Watched | None:
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
            story = Story.of(await self.store.events.of(number))
            self.watched[number] = Watched(number, story)
        return self.watched[number]

    # cards ---------------------------------------------------------------------------------------

    def _pressing(self, watched: Watched) -> bool:
        if watched.now:
            return True
        quiet = time.monotonic() - watched.edited
        return watched.due and not watched.lost and quiet >= self.bot.settings.seconds - SLACK

    async def _refresh(self, watched: Watched) -> None:
        """Post or edit a card; what is in the way becomes a sentence, not a crash."""
        try:
            job = await self.store.jobs.get(watched.job)
        except UserError:
            self.watched.pop(watched.job, None)
            return
        watched.due = watched.now = False
        watched.edited = time.monotonic()
        try:
            await self._put(job, watched)
        except CLOSED as closed:
            await self._lose(watched, closed)
        except PASSING:
            watched.now = True
            raise
        except discord.HTTPException as refused:
            log.warning("Card of job %s: %s", job.id, refused)
        if job.status.ended:
            self.watched.pop(job.id, None)

    async def _put(self, job: Job, watched: Watched) -> None:
        card = await self._card(job, watched)
        content = card.content()
        watched.waiting = job.status is Status.QUEUED
        if job.message and self._fresh(job.message):
            if content == watched.last and not card.paths:
                return
            with suppress(discord.NotFound):
                message = places.partial(self.bot, job.channel, job.guild).get_partial_message(
                    job.message
                )
                await message.edit(view=card, attachments=card.files())
                watched.last = content
                return
            card = await self._card(job, watched)  # somebody deleted it
        await self._post(job, card)
        watched.last = content

    def _fresh(self, message: int) -> bool:
        return discord.utils.utcnow() - discord.utils.snowflake_time(message) < FRESH

    async def _post(self, job: Job, card: Card) -> None:
        """Post a card anew, and take the old one away."""
        channel, thread = job.channel, job.thread
        if job.private and not job.message and job.kind is Kind.TRAIN:
            channel = thread = await places.secluded(self.bot, job)
        room = places.partial(self.bot, channel, job.guild)
        message = await room.send(view=card, files=card.files())
        await self.store.jobs.card(job.id, channel, message.id, thread)
        if job.message:
            with suppress(discord.HTTPException):
                await self.remove(job.channel, job.guild, job.message)

    async def _card(self, job: Job, watched: Watched) -> Card:
        home = self.store.home
        if job.kind is Kind.SAMPLE:
            return sample_card(home, await self._drawing(job), watched.story)
        return job_card(home, await self._scene(job, watched))

    async def _scene(self, job: Job, watched: Watched) -> Scene:
        base = await based(self.bot, job.base)
        place = await self.store.jobs.place(job.id)
        return Scene(
            job,
            watched.story,
            base.title if base else job.base,
            place,
            watched.result,
            watched.threadless,
        )

    async def _drawing(self, job: Job) -> Drawing:
        base = await based(self.bot, job.base)
        place = await self.store.jobs.place(job.id)
        return Drawing(job, await self._style(job), base, place)

    async def _style(self, job: Job) -> Style | None:
        if job.style is None:
            return None
        with suppress(UserError):
            return await self.store.styles.get(job.style, job.owner, job.guild)
        return None

    async def _lose(self, watched: Watched, closed: discord.HTTPException) -> None:
        """Tell a job's owner, once, that its card cannot be posted."""
        log.info("Job %s cannot be shown: %s", watched.job, closed)
        if watched.lost:
            return
        watched.lost = True
        job = await self.store.jobs.get(watched.job)
        name = str(job.request.get("name") or job.request.get("prompt", ""))
        said = wording.say(texts.CARD_LOST, name=name, channel=job.channel)
        with suppress(discord.HTTPException):
            room = await self.bot.create_dm(discord.Object(job.owner))
            await room.send(said)

    # samples, results, pings ---------------------------------------------------------------------

    async def _sampled(self, watched: Watched, event: Event) -> None:
        """Post what a training draws on the way."""
        job = await self._posted(watched)
        room = await self._room(job, watched)
        scene = await self._scene(job, watched)
        card = results.step_card(self.store.home, scene, event.facts)
        if card.paths:
            await room.send(view=card, files=card.files())

    async def _posted(self, watched: Watched) -> Job:
        """Return a job whose card is there: samples come below it."""
        job = await self.store.jobs.get(watched.job)
        if job.message is None:
            await self._put(job, watched)
            job = await self.store.jobs.get(watched.job)
        return job

    async def _room(self, job: Job, watched: Watched) -> discord.PartialMessageable:
        """Return the thread of a job, made when there is none, or its channel."""
        wanted = self.bot.settings.threads and not job.private and not watched.threadless
        if wanted and job.thread is None:
            try:
                thread = await places.branch(self.bot, job)
            except discord.HTTPException as refused:
                log.info("No thread for job %s: %s", job.id, refused)
                thread, watched.threadless = None, True
            if thread is not None:
                await self.store.jobs.card(job.id, job.channel, job.message or 0, thread)
                return places.partial(self.bot, thread, job.guild)
        return places.partial(self.bot, job.thread or job.channel, job.guild)

    async def _ended(self, watched: Watched) -> None:
        """Hand over what a training made, or tell those who wait that it made nothing."""
        job = await self.store.jobs.get(watched.job)
        if job.kind is not Kind.TRAIN or not job.status.ended:
            return
        told = await self._told(job)
        scene = await self._scene(await self._posted(watched), watched)
        room = await self._room(scene.job, watched)
        style = await self._style(job)
        if job.status is Status.DONE and style is not None:
            base = await based(self.bot, job.base)
            result = results.Result(scene, style, base, told)
            watched.result = (await self._deliver(room, result)).jump_url
        elif told:
            card = results.ending_card(scene, told)
            await room.send(view=card, allowed_mentions=results.mentions(told))

    async def _deliver(
        self, room: discord.PartialMessageable, result: results.Result
    ) -> discord.Message:
        most = delivery.limit(room.guild, self.bot.settings.upload)
        return await delivery.post(
            room,
            delivery.ways(self.bot, result.style, most),
            lambda handover: results.result_card(self.store.home, result, handover),
            results.mentions(result.told),
        )

    async def _told(self, job: Job) -> list[int]:
        """List who is pinged: the owner and those who asked to be told, not who ended it."""
        everyone = dict.fromkeys([job.owner, *await self.store.jobs.watchers(job.id)])
        if job.status is Status.CANCELLED:
            everyone.pop(job.wished_by or 0, None)
        return list(everyone)
