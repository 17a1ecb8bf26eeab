"""Loops of the bot that end with it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from discord.ext import tasks

from bot.bot import Bot
from storage.disk import FullDiskNotice

log = logging.getLogger(__name__)


async def stop_loop(loop: tasks.Loop[Any]) -> None:
    """Cancel a loop, and wait until its turn has ended."""
    task = loop.get_task()
    loop.cancel()
    if task is not None:
        await asyncio.wait([task])


class StoreLoop:
    """Looks at the store every few seconds while the bot is connected.

    A full disk is waited out, which is told once with what is `later`; a bug ends one turn alone.
    """

    def __init__(self, bot: Bot, seconds: float, later: str) -> None:
        self.bot, self.store = bot, bot.store
        self.notice = FullDiskNotice(bot.store.home.path, later)
        self.loop = tasks.loop(seconds=seconds)(self.look)
        self.loop.before_loop(bot.wait_until_ready)

    def start(self) -> None:
        """Start looking once the bot is connected."""
        self.loop.start()

    async def close(self) -> None:
        """Stop looking."""
        await stop_loop(self.loop)

    async def look(self) -> None:
        """Do what is due."""
        try:
            with self.notice.waiting():
                await self.do_due()
        except Exception:
            if not self.bot.is_closed():
                log.exception("Bug in %s", type(self).__name__)

    async def do_due(self) -> None:
        """Do what is due, without regard to errors."""
        raise NotImplementedError
