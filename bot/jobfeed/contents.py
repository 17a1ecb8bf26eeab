"""What a post says: the cards of previews, results, endings and notices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import discord

from bot import wording
from bot.actions import delivery
from bot.actions.continuing import has_state
from bot.bot import Bot
from bot.card import Card
from bot.cards import compared
from bot.cards import result as results
from bot.cards.checkpoints import keep_until
from bot.cards.components import text
from bot.cards.grades import graded_post
from bot.cards.job import JobView
from bot.cards.report import report_card
from bot.cards.retention import dataset_notice
from bot.cards.study import study_post
from bot.jobfeed.cards import JobCards, WatchedJobs
from bot.wording import fill, say
from storage.errors import UserError
from storage.events import PreviewsDrawn, RateFound
from storage.records import Job, Status
from storage.tables.posts import Post, PostKind, Refusal

MEMBER = "member"  #: the place that is a member's direct messages
KEPT = "kept"  #: the place that is the answer to a member's next command


@dataclass(frozen=True, slots=True)
class Content:
    """A post as it is sent to one place."""

    #: each makes the card; the next one where the files of the one before are too large
    cards: list[Callable[[], Card]]
    pinged: tuple[int, ...] = ()


class Contents:
    """Makes the cards of posts, from the store alone."""

    def __init__(self, bot: Bot, cards: JobCards, watched: WatchedJobs) -> None:
        self.bot, self.store, self.cards, self.watched = bot, bot.store, cards, watched

    async def make(self, post: Post, place: str, max_bytes: int = 0) -> Content | None:
        """Return a post for a place that takes files of so many bytes; None if nothing is left.

        With 0 it is what the server takes.
        """
        if post.kind is PostKind.REPORT:
            return await self._make_report(post, place)
        if post.comparison is not None:
            return await self._make_comparison(post, place)
        if post.dataset is not None or post.study is not None:
            return await self._make_notice(post, place)
        job = await self.store.jobs.get(post.job or 0)
        if post.kind is PostKind.GRADED:
            graded = await graded_post(self.bot, job)
            return None if graded is None else Content([lambda: graded])
        watched = await self.watched.find(job.id)
        if watched is None:
            return None
        view = await self.cards.view_job(job, watched.state)
        content = await self._make_job_post(post, view, place, max_bytes)
        if content is not None and place == KEPT:
            content.cards.append(partial(notice_card, post, view))  # where Discord takes no files
        return content

    async def _make_job_post(
        self, post: Post, view: JobView, place: str, max_bytes: int
    ) -> Content | None:
        job = view.job
        match post.kind:
            case PostKind.PREVIEWS:
                return await self._make_previews(post, view)
            case PostKind.RESULT:
                if not max_bytes:
                    guild = None if place == MEMBER else self.bot.get_guild(job.guild)
                    max_bytes = delivery.max_file_bytes(guild, self.bot.settings.upload_mib)
                return await self._make_result(view, place, max_bytes)
            case PostKind.ENDING:
                pinged = await self._list_pinged(job, place)
                return Content([partial(results.ending_card, view, pinged)], tuple(pinged))
            case PostKind.PICTURES:
                shown = await self.cards.make_sample_card(job, view.state)
                return Content([lambda: shown])
            case _:
                return Content([partial(notice_card, post, view)])

    async def _make_report(self, post: Post, place: str) -> Content | None:
        report = await self.store.reports.get(post.report or 0, post.guild)
        if place not in {MEMBER, KEPT}:
            card = await report_card(self.bot, report)
            return Content([lambda: card])
        if await self.store.posts.is_owner_told(post.guild, report.id):
            return None
        guild, why = self.bot.get_guild(post.guild), explain_refusals(post.refusals[:1])
        server = wording.escape(guild.name if guild else str(post.guild))
        said = fill(wording.report.OWNER_NOTICE, server=server, why=why)
        return Content([lambda: Card(text(said))])

    async def _make_notice(self, post: Post, place: str) -> Content | None:
        """Return what is to be told of a dataset or a study."""
        if post.dataset is not None:
            card = await dataset_notice(self.bot, post)
        else:
            card = await study_post(self.bot, post, here=place not in {MEMBER, KEPT})
        return None if card is None else Content([lambda: card])

    async def _make_comparison(self, post: Post, place: str) -> Content:
        comparison = await self.store.comparisons.get(post.comparison or 0)
        here = place not in {MEMBER, KEPT}
        shown = await compared.make_post(
            self.bot, comparison, post.kind, self.watched.read_state, pinged=here
        )
        pinged = (comparison.owner,) if here and post.kind is PostKind.COMPARED else ()
        return Content([lambda: shown], pinged)

    async def _make_previews(self, post: Post, view: JobView) -> Content | None:
        entry = await self.store.events.get(post.event)
        if entry is not None and isinstance(entry.event, RateFound):
            found = results.rate_card(self.store.home, view, entry.event)
            return Content([lambda: found]) if found.paths else None
        if entry is None or not isinstance(entry.event, PreviewsDrawn):
            return None
        card = results.step_card(self.store.home, view, entry.event)
        return Content([lambda: card]) if card.paths else None

    async def make_result(self, number: int, max_bytes: int) -> Content:
        """Return what makes the card of a finished training's style as it is now."""
        watched = await self.watched.find(number)
        if watched is None:
            raise UserError("job_unknown")
        view = await self.cards.view_job(await self.store.jobs.get(number), watched.state)
        content = await self._make_result(view, MEMBER, max_bytes)
        if content is None:
            raise UserError("style_unknown")
        return content

    async def _make_result(self, view: JobView, place: str, max_bytes: int) -> Content | None:
        job = view.job
        style = await self.cards.find_style(job)
        if style is None:
            return None
        pinged = await self._list_pinged(job, place)
        base = (await self.store.catalog.read()).get_base(job.base)
        kept = await self.store.checkpoints.list_for(style)
        until = keep_until(job, self.bot.settings.checkpoint_days)
        more = has_state(self.bot, job)
        result = results.Result(view, style, base, pinged, kept, more, until)
        small = None if result.chosen else view.state.done.small_copy
        ways = delivery.list_handovers(self.bot, style, max_bytes, small)
        cards = [partial(results.result_card, self.store.home, result, way) for way in ways]
        return Content([*cards], tuple(pinged))

    async def _list_pinged(self, job: Job, place: str) -> list[int]:
        """List whom a training's end pings there: nobody in a message to its owner alone."""
        return [] if place in {MEMBER, KEPT} else await list_waiting(self.bot, job)


async def list_waiting(bot: Bot, job: Job) -> list[int]:
    """List the owner and those who asked to be told, but not who cancelled the job."""
    everyone = dict.fromkeys([job.owner, *await bot.store.jobs.list_watchers(job.id)])
    if job.status is Status.CANCELLED:
        everyone.pop(job.requested_by or 0, None)
    return list(everyone)


def notice_card(post: Post, view: JobView) -> Card:
    """Return the card of a notice about a job, in words alone."""
    if post.kind is PostKind.CARD_LOST:
        why, channel = explain_refusals(post.refusals), view.job.channel
        name = wording.escape(view.name)
        return Card(text(fill(wording.refusals.CARD_LOST, name=name, channel=channel, why=why)))
    if post.kind in {PostKind.PREVIEWS, PostKind.PICTURES}:
        return Card(text(say(wording.refusals.NO_PICTURES, name=view.name)))
    template = wording.refusals.DONE
    if view.job.status is not Status.DONE:
        failed = view.job.status is Status.FAILED
        template = wording.job.NOTIFY_FAILED if failed else wording.job.NOTIFY_CANCELLED
    return Card(text(say(template, name=view.name)))


def explain_refusals(refusals: tuple[Refusal, ...]) -> str:
    """Return why a post is not where it was expected, as the first half of a sentence."""
    reasons = [
        fill(wording.refusals.REASONS[reason], place=wording.refusals.PLACES[place])
        for place, reason in refusals
    ]
    return wording.join_words(list(dict.fromkeys(reasons)))


def add_reason(card: Card, post: Post, place: str) -> Card:
    """Add to a card why it is in this place, and return it."""
    why = explain_refusals(post.refusals)
    template = wording.refusals.MOVED
    if place == KEPT:
        return card.add(text(fill(wording.refusals.KEPT, why=why)))
    if place == MEMBER:
        template = wording.refusals.MOVED_TO_MEMBER
    return card.add(text(fill(template, why=why[:1].upper() + why[1:])))


def allow_pings(content: Content) -> discord.AllowedMentions:
    """Return the mentions that a post may ping."""
    return results.allow_mentions(list(content.pinged))
