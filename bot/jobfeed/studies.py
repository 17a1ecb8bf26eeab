"""The course of studies: opened once they are drawn, closed when their time is over."""

from __future__ import annotations

import logging
import time

from bot.actions import channels
from bot.bot import Bot
from bot.cards.study import retired_card
from bot.jobfeed.loops import StoreLoop
from bot.jobfeed.refusals import judge
from storage.tables.studies import Study, StudyState

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0  #: between two looks at the studies


class StudyCourse(StoreLoop):
    """Moves studies on; the ladder posts what there is to tell."""

    def __init__(self, bot: Bot) -> None:
        super().__init__(bot, LOOK_SECONDS, "studies go on later")

    async def do_due(self) -> None:
        """Open and close what is due, and say so on the posts of those that have ended."""
        await self.store.studies.advance(time.time())
        for study in await self.store.studies.list_unretired():
            if await self.retire(study):
                await self.store.studies.retire(study.id)

    async def retire(self, study: Study) -> bool:
        """Take the button off a study's post, if it is still there; return whether that is done.

        Where it cannot be done, the button itself says that it is over.
        """
        post = await self.store.posts.find_study(study.id)
        if post is None or not post.message:
            return True
        card = retired_card(study, closed=study.state is StudyState.CLOSED)
        room = channels.partial_messageable(self.bot, post.channel or 0, study.guild)
        try:
            await room.get_partial_message(post.message).edit(view=card)
        except Exception as error:
            if (verdict := judge(error)) is None:
                raise
            log.info("The post of study %s cannot be edited: %s", study.id, error)
            return not verdict.transient
        return True
