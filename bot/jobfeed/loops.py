"""Loops of the bot that end with it."""

from __future__ import annotations

import asyncio
from typing import Any

from discord.ext import tasks


async def stop_loop(loop: tasks.Loop[Any]) -> None:
    """Cancel a loop, and wait until its turn has ended."""
    task = loop.get_task()
    loop.cancel()
    if task is not None:
        await asyncio.wait([task])
