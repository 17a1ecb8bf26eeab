"""Every night, datasets that nobody uses: their members are warned, and later they are deleted."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, time

from discord.ext import tasks

from bot.bot import Bot
from bot.jobfeed.loops import stop_loop
from storage.carefultime import read_careful_time

log = logging.getLogger(__name__)

HOUR = 4  #: of the night, in this machine's time: after the backup


class UnusedDatasets:
    """Looks for unused datasets at the start and every night, if the operator wants that."""

    def __init__(self, bot: Bot) -> None:
        self.bot = bot
        night = time(HOUR, tzinfo=datetime.now().astimezone().tzinfo)
        self.loop = tasks.loop(time=night)(self.look)
        self.loop.before_loop(self.begin)

    def start(self) -> None:
        """Start looking once the bot is connected."""
        if self.bot.settings.unused_days:
            self.loop.start()

    async def close(self) -> None:
        """Stop looking."""
        await stop_loop(self.loop)

    async def begin(self) -> None:
        """Look once at the start: nights may be missed."""
        await self.bot.wait_until_ready()
        await self.look()

    async def look(self) -> None:
        """Delete what is due, and warn of what soon will be."""
        days, store = self.bot.settings.unused_days, self.bot.store
        try:
            now = await asyncio.to_thread(read_careful_time, store.home)
            for dataset in await store.retention.delete(days, now):
                log.info("Dataset %s was deleted, unused for %s days", dataset.id, days)
            if warned := await store.retention.warn(days, now):
                log.info("The members of %s unused datasets are warned", warned)
        except Exception:
            if not self.bot.is_closed():
                log.exception("Cannot look for unused datasets; the next night tries again")
