"""Photos are examined for nudity and text, one at a time, in the time that no core is wanted.

That is also beside a training: where one follows another, photos of the next must be examined
before it starts, as explicit ones are not trained on.
"""

from __future__ import annotations

import asyncio
import logging

from discord.ext import tasks

from bot.bot import Bot
from bot.jobfeed.loops import stop_loop
from storage.errors import UserError
from storage.measurements import Examination
from storage.photofiles import read_photo
from storage.photos.examiner import Examiner

log = logging.getLogger(__name__)

PAUSE_SECONDS = 20.0  #: between two looks for photos that were added


class Examining:
    """Examines every photo once, if the extra `photos` is installed."""

    def __init__(self, bot: Bot, examiner: Examiner | None = None) -> None:
        self.bot, self.examiner = bot, examiner or Examiner()
        self.loop = tasks.loop(seconds=PAUSE_SECONDS)(self.examine_all)
        self.loop.before_loop(bot.wait_until_ready)

    def start(self) -> None:
        """Start examining once the bot is connected."""
        if self.examiner.looks:
            self.loop.start()

    async def close(self) -> None:
        """Stop examining."""
        self.loop.cancel()
        await self.examiner.rest()
        await stop_loop(self.loop)

    async def examine_all(self) -> None:
        """Examine the photos that nobody has examined, the newest first."""
        try:
            examined = False
            while digest := await self.bot.store.photos.find_unexamined():
                await self.bot.store.photos.set_examination(digest, await self.examine(digest))
                examined = True
            if examined:
                await self.examiner.rest()
        except Exception:
            if not self.bot.is_closed():
                log.exception("Cannot examine photos; it is tried again")

    async def examine(self, digest: str) -> Examination:
        """Return what is found in a picture; nothing if it is gone or the nets fail on it."""
        path = self.bot.store.home.photo_file(digest)
        try:
            return await self.examiner.examine(await asyncio.to_thread(read_photo, path))
        except (UserError, FileNotFoundError) as error:
            log.warning("Photo %s could not be examined: %s", digest[:8], error)
            return Examination()
