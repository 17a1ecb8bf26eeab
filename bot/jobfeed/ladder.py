"""The ladder that every post goes down: its thread, its channel, its member, else it is kept.

A place that may take a post later is tried again for about an hour, any other refusal moves the
post to the next place, where it says why. What no place takes is kept in the table `posts` and
shown with the member's next command. The table knows how far a post has come, so that a crash
loses nothing; a nonce and a marker in the card (`bot.actions.channels`) tell whether a post that
was sent without an answer has arrived.
"""

from __future__ import annotations

import logging
import time
from functools import partial

import discord

from bot.actions import channels
from bot.bot import Bot, Interaction
from bot.cards.components import edit, follow_up
from bot.jobfeed.cards import JobCards, WatchedJobs
from bot.jobfeed.contents import (
    KEPT,
    MEMBER,
    Content,
    Contents,
    add_reason,
    allow_pings,
    list_waiting,
)
from bot.jobfeed.refusals import WAITS_SECONDS, WAS_DELETED, MissingPlaceError, Verdict, judge
from storage.disk import is_disk_full
from storage.errors import UserError
from storage.records import Job
from storage.tables.posts import NewPost, Post, PostKind

log = logging.getLogger(__name__)

JOB_PLACES = ("thread", "channel", MEMBER)
#: where a post goes, the best place first
PLACES = {
    PostKind.PREVIEWS: JOB_PLACES,
    PostKind.RESULT: JOB_PLACES,
    PostKind.ENDING: JOB_PLACES,
    PostKind.CARD: ("card",),
    PostKind.PICTURES: ("card", "channel", MEMBER),
    PostKind.CARD_LOST: (MEMBER,),
    PostKind.WATCHED: (MEMBER,),
    PostKind.REPORT: ("log", MEMBER),
    PostKind.UNUSED: (MEMBER,),
    PostKind.TAKEN_BACK: (MEMBER,),
    PostKind.GRADED: (MEMBER,),
    PostKind.STUDY_OPEN: ("study", MEMBER),
    PostKind.STUDY_RESULT: ("study", MEMBER),
    PostKind.STUDY_FAILED: (MEMBER,),
    PostKind.COMPARISON: ("comparison", MEMBER),
    PostKind.COMPARED: ("comparison", MEMBER),
}
#: kinds of which a job's next one waits for the one before
ORDERED = frozenset({PostKind.PREVIEWS, PostKind.RESULT, PostKind.ENDING})
#: kinds that need no explanation of their place, or give it themselves
EXPECTED = frozenset(
    {
        PostKind.CARD_LOST,
        PostKind.WATCHED,
        PostKind.REPORT,
        PostKind.UNUSED,
        PostKind.TAKEN_BACK,
        PostKind.GRADED,
        PostKind.STUDY_FAILED,
    }
)
#: of what went with its member or photos
GONE_CODES = frozenset({"job_unknown", "study_unknown", "comparison_unknown"})
BUG = Verdict("bug")
UNREACHABLE = Verdict("unreachable", transient=True)
FULL_DISK_SECONDS = 5.0  #: until a post that could not be recorded is looked for, or tried again


class Ladder:
    """Sends the posts that wait in the store."""

    def __init__(self, bot: Bot, cards: JobCards, watched: WatchedJobs) -> None:
        self.bot, self.store, self.cards, self.watched = bot, bot.store, cards, watched
        self.contents = Contents(bot, cards, watched)
        self.tries: dict[int, int] = {}  #: of a post in its place
        self.due: dict[int, float] = {}  #: when a post is tried again, monotonic seconds
        self.worn: set[tuple[int | None, str]] = set()  #: (job, place) that has used up its tries

    async def deliver(self) -> None:
        """Try every post that is due."""
        blocked: set[int | None] = set()
        for post in await self.store.posts.list_waiting():
            ordered = post.kind in ORDERED
            if ordered and post.job in blocked:
                continue
            if not await self.attempt(post) and ordered:
                blocked.add(post.job)

    async def attempt(self, post: Post) -> bool:
        """Take a post as far down the ladder as it goes now; return whether it is settled."""
        if self.due.get(post.id, 0.0) > time.monotonic():
            return False
        for place in PLACES[post.kind][post.rung :]:
            verdict = await self._try(place, post)
            if verdict is None:
                self._forget(post)
                self.worn.discard((post.job, place))
                return True
            if verdict is BUG:
                break
            if verdict.transient and self._wait(post, place, verdict):
                return False
            post = await self._move_down(post, place, verdict.reason)
        await self._give_up(post)
        return True

    async def _try(self, place: str, post: Post) -> Verdict | None:
        """Post in one place; return why that did not work, or None."""
        try:
            await self._post_at(place, post)
        except Exception as error:
            verdict = judge(error)
            if verdict is None and isinstance(error, UserError):
                if error.code == "disk_full":
                    self.due[post.id] = time.monotonic() + FULL_DISK_SECONDS
                if error.code not in GONE_CODES:
                    raise
                return None  # its member has left, and took it along
            if verdict is None and self.bot.is_closed():  # its connection is closed already
                return UNREACHABLE
            if verdict is None:
                log.exception("Bug with post %s of job %s", post.id, post.job)
                return BUG
            log.info("Post %s of job %s, %s: %s", post.id, post.job, place, error)
            return verdict
        return None

    async def _post_at(self, place: str, post: Post) -> None:
        """Post in one place and record it; raises whatever Discord says."""
        if place == "card":
            await self._update_card(post)
            return
        room = await self._find_room(place, post)
        message = None
        if post.uncertain:
            message = await channels.find_posted(self.bot, room, post.marker)
        content = None if message else await self.contents.make(post, place)
        if content is not None:
            await self.store.posts.expect(post)
            send = partial(self._send, room, post, place, content)
            message = await channels.reopening(self.bot, room.id, send)
        if message is not None:
            await self.store.posts.finish(post, room.id, message.id)
        else:
            await self.store.posts.finish(post)
        if post.kind is PostKind.RESULT and message is not None and post.job:
            await self.store.posts.repeat_card(post.job)
        if post.kind is PostKind.PICTURES and place == "channel" and message is not None:
            await self.store.jobs.set_card(post.job or 0, room.id, message.id, None)

    async def _send(
        self,
        room: discord.PartialMessageable | discord.DMChannel,
        post: Post,
        place: str,
        content: Content,
    ) -> discord.Message | None:
        """Send a post; smaller where Discord finds it too large. None if it was deleted since."""
        explain = post.refusals and post.kind not in EXPECTED
        told = not explain or await self.store.posts.was_told(post)
        for at, make in enumerate(content.cards, 1):
            card = make() if told else add_reason(make(), post, place)
            card.container.id = post.marker
            try:
                return await channels.post(room, card, post.nonce, allow_pings(content))
            except discord.HTTPException as refused:
                if refused.code == WAS_DELETED:
                    return None
                verdict = judge(refused)
                too_large = verdict is not None and verdict.reason == "too_large"
                if not too_large or at == len(content.cards):
                    raise
        return None

    async def _update_card(self, post: Post) -> None:
        """Show the last state of a job on its card, and stop watching it."""
        job = await self.store.jobs.get(post.job or 0)
        watched = await self.watched.find(job.id)
        if watched is not None:
            await self.cards.update_card(job, watched)
        await self.store.posts.finish(post)

    async def _find_room(
        self, place: str, post: Post
    ) -> discord.PartialMessageable | discord.DMChannel:
        """Return a place; raise MissingPlaceError without one."""
        if place == MEMBER:
            return await self.bot.create_dm(discord.Object(post.member))
        if place == "log":
            server = await self.store.servers.get(post.guild)
            if not server.log:
                raise MissingPlaceError("no_log")
            return channels.partial_messageable(self.bot, server.log, post.guild)
        if place == "comparison":
            compared = await self.store.comparisons.get(post.comparison or 0)
            return channels.partial_messageable(self.bot, compared.channel, compared.guild)
        if place == "study":
            study = await self.store.studies.get(post.study or 0)
            return channels.partial_messageable(self.bot, study.channel, study.guild)
        job = await self.store.jobs.get(post.job or 0)
        room = await self._find_thread(job) if place == "thread" else job.channel
        if not room or (place == "channel" and job.private):
            raise MissingPlaceError
        return channels.partial_messageable(self.bot, room, job.guild)

    async def _find_thread(self, job: Job) -> int | None:
        """Return a job's thread, created if need be; None or 0 where there is none."""
        if job.thread is not None or not (job.private or self.bot.settings.create_threads):
            return job.thread
        thread = await channels.create_thread(self.bot, job)
        await self.store.jobs.set_thread(job.id, thread)
        return thread

    def _wait(self, post: Post, place: str, verdict: Verdict) -> bool:
        """Have a post tried again later; return whether it may be."""
        tried = self.tries.get(post.id, 0)
        if tried >= len(WAITS_SECONDS) or (post.job, place) in self.worn:
            self.worn.add((post.job, place))
            return False
        self.tries[post.id] = tried + 1
        self.due[post.id] = time.monotonic() + max(WAITS_SECONDS[tried], verdict.wait)
        return True

    async def _move_down(self, post: Post, place: str, reason: str) -> Post:
        """Record why a place refused a post, and return it as it is then."""
        self._forget(post)
        if not reason:
            return await self.store.posts.refuse(post, None)
        if place == "thread" and post.job:
            job = await self.store.jobs.get(post.job)
            if job.thread is None and reason == "forbidden":
                reason = "no_threads"
            elif reason == "gone" and not job.private:
                await self.store.jobs.set_thread(job.id, 0)  # it is not created again
        if place == "channel" and post.kind in {PostKind.RESULT, PostKind.ENDING}:
            await self._tell_watchers(post)
        return await self.store.posts.refuse(post, (place, reason))

    async def _tell_watchers(self, post: Post) -> None:
        """Tell those who wait for a training directly, as the channel cannot ping them."""
        job = await self.store.jobs.get(post.job or 0)
        members = [each for each in await list_waiting(self.bot, job) if each != job.owner]
        watched = PostKind.WATCHED
        await self.store.posts.add(
            *(NewPost(watched, each, job.guild, job.id, post.event) for each in members)
        )

    async def _give_up(self, post: Post) -> None:
        """Keep a post that no place takes; a card's last state is told by the result as well."""
        self._forget(post)
        if post.kind is PostKind.CARD:
            await self.store.posts.finish(post)
        else:
            await self.store.posts.keep(post)

    def _forget(self, post: Post) -> None:
        self.tries.pop(post.id, None)
        self.due.pop(post.id, None)

    async def show_kept(self, interaction: Interaction) -> None:
        """Show a member the posts that no place took, after the answer to their command.

        On a full disk nobody could remember that they were shown.
        """
        if is_disk_full(self.store.home.path):
            return
        for post in await self.store.posts.list_kept(interaction.user.id):
            content = await self.contents.make(post, KEPT, interaction.filesize_limit)
            if content is None or await self._follow_up(interaction, post, content):
                await self.store.posts.finish(post)

    async def show_result(self, interaction: Interaction, number: int) -> None:
        """Replace a result's card by one of how its style is now, smaller if it is too large."""
        content = await self.contents.make_result(number, interaction.filesize_limit)
        for at, make in enumerate(content.cards, 1):
            try:
                await edit(interaction, make())
            except discord.HTTPException as refused:
                verdict = judge(refused)
                if at == len(content.cards) or verdict is None or verdict.reason != "too_large":
                    raise
            else:
                return

    async def _follow_up(self, interaction: Interaction, post: Post, content: Content) -> bool:
        for make in content.cards:
            try:
                card = make() if post.kind in EXPECTED else add_reason(make(), post, KEPT)
                await follow_up(interaction, card)
            except discord.HTTPException as refused:
                log.info("Post %s cannot be shown: %s", post.id, refused)
            else:
                return True
        return False
