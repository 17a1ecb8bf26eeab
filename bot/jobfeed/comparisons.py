"""The cards of comparisons: kept up to date while their entries are trained and graded."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import discord

from bot.actions import channels
from bot.bot import Bot
from bot.card import Card
from bot.cards.compared import running_card, view_entries
from bot.jobfeed.cards import WatchedJobs
from bot.jobfeed.loops import StoreLoop
from storage.tables.comparisons import Comparison
from storage.tables.posts import Post

log = logging.getLogger(__name__)

MAX_EDIT_SECONDS = 3000.0  #: of a message's age; older ones Discord lets edit hardly any more
OLD_EDIT_SECONDS = 300.0  #: between two edits of such a message


@dataclass(frozen=True, slots=True)
class Shown:
    """What a card was edited to show."""

    post: Post
    states: list[Any] = field(default_factory=list)  #: of the comparison and its trainings
    content: list[Any] = field(default_factory=list)  #: the card's fingerprint
    at: float = float("-inf")  #: monotonic seconds


class ComparisonCards(StoreLoop):
    """Edits the cards of comparisons; the ladder posts them and what they show in the end."""

    def __init__(self, bot: Bot, watched: WatchedJobs) -> None:
        seconds = min(2.0, bot.settings.card_seconds)
        super().__init__(bot, seconds, "cards of comparisons are edited later")
        self.watched = watched
        self.shown: dict[int, Shown] = {}  #: by the comparison, until it has ended

    async def do_due(self) -> None:
        """Edit the cards that show something else by now; leave those that have ended alone."""
        known = await self.store.comparisons.list_unretired()
        for comparison in known:
            await self.update(comparison)
        for number in self.shown.keys() - {each.id for each in known}:
            await self.remove(self.shown.pop(number).post)

    async def update(self, comparison: Comparison) -> None:
        """Edit a comparison's card if it is due."""
        post = await self.store.posts.find_comparison(comparison.id)
        waits = post is not None and post.state == "waiting"
        if post is None or not post.message:
            if comparison.state.ended and not waits:
                await self.store.comparisons.retire(comparison.id)
            return
        views = await view_entries(self.bot, comparison, self.watched.read_state)
        known = self.shown.get(comparison.id, Shown(post))
        now = [comparison.state, comparison.round, *(view.entry.status for view in views)]
        if now != known.states or is_rested(post, known, self.bot.settings.card_seconds):
            card = running_card(comparison, views)
            if (content := card.fingerprint()) != known.content:
                await self.edit(post, card)
                known = Shown(post, now, content, time.monotonic())
            self.shown[comparison.id] = known
        if comparison.state.ended:
            await self.store.comparisons.retire(comparison.id)
            self.shown.pop(comparison.id, None)

    async def remove(self, post: Post) -> None:
        """Remove the card of a comparison that went with its photos or its member."""
        with suppress(discord.HTTPException):
            await channels.remove_message(
                self.bot, post.channel or 0, post.guild, post.message or 0
            )

    async def edit(self, post: Post, card: Card) -> None:
        """Edit a card, which may have been deleted."""
        card.container.id = post.marker
        room = channels.partial_messageable(self.bot, post.channel or 0, post.guild)
        message = room.get_partial_message(post.message or 0)
        try:
            await message.edit(view=card, attachments=card.open_files())
        except discord.HTTPException as refused:
            log.info("Post %s of a comparison cannot be edited: %s", post.id, refused)


def is_rested(post: Post, known: Shown, seconds: float) -> bool:
    """Return whether a card may be edited again for what has no hurry."""
    old = time.time() - post.created > MAX_EDIT_SECONDS
    return time.monotonic() - known.at >= (OLD_EDIT_SECONDS if old else seconds)
