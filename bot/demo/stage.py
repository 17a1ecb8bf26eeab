"""Start everything the demo needs on a folder: the scheduler, the bot and an offline Discord."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

from bot.__main__ import make_bot
from bot.bot import Bot
from bot.cogs.training import Training
from bot.demo.chapters import Chapters
from bot.demo.welcome import STEPS, post_welcome
from bot.demo.world import World, run_world
from bot.settings import BotSettings
from storage.errors import UserError
from storage.signals import stop_process

MAX_START_SECONDS = 300.0  #: until the first worker has loaded torch
STOP_SECONDS = 45.0  #: for the scheduler to put its jobs down
LOG = "scheduler.log"
HIDDEN_VARIABLES = ("DISCORD_TOKEN", "PUBLIC_URL")


@asynccontextmanager
async def open_stage(home: Path, steps: int = STEPS) -> AsyncIterator[tuple[Bot, World]]:
    """Run the real scheduler and the real bot on an offline Discord; its button trains `steps`."""
    settings = BotSettings(
        _env_file=None,  # type: ignore[call-arg]  # pydantic-settings takes it
        home=home,
        token=None,
        public_url=None,
        privacy_url=None,
        port=0,
        collect_messages=True,
        card_seconds=1,
        create_threads=False,
        default_base="embedded",
        min_free_mib=0,
    )
    async with run_scheduler(home):
        bot = make_bot(settings)
        try:
            async with run_world(bot) as world:
                await wait_for_catalog(bot)
                await serve_links(bot)
                await open_channel(bot, world.channel.id, world.server.id, steps)
                yield bot, world
        finally:
            await bot.close_features()


async def serve_links(bot: Bot) -> None:
    """Serve what the bot's links lead to, on any free port of this computer.

    simcord waits for all that the bot itself began, and a browser keeps its connections open.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    bot.web.public = f"http://127.0.0.1:{port}"
    await bot.web.start("127.0.0.1", port)


async def open_channel(bot: Bot, channel: int, guild: int, steps: int = STEPS) -> None:
    """Post the welcome, and offer the chapters once they can be played."""
    room = bot.get_partial_messageable(channel, guild_id=guild)
    await post_welcome(bot, room, steps)
    await bot.add_cog(Chapters(bot, room, guild))


@asynccontextmanager
async def run_scheduler(home: Path) -> AsyncIterator[None]:
    """Run `python -m training` on a folder with the embedded models, whatever the settings."""
    known = {name: value for name, value in os.environ.items() if name not in HIDDEN_VARIABLES}
    environment = known | {
        "SAFELIGHT_HOME": str(home),
        "SAFELIGHT_CAPTIONER": "embedded",
        "SAFELIGHT_DISK_MB": "0",
        "HF_HUB_OFFLINE": "1",
    }
    with (home / LOG).open("wb") as log:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "training",
            cwd=home, env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        yield
    finally:
        await stop_process(child, STOP_SECONDS)


async def wait_for_catalog(bot: Bot) -> None:
    """Wait until the scheduler has published its catalog, and offer its methods."""
    for _ in range(round(MAX_START_SECONDS / 0.25)):
        if (await bot.store.catalog.read()).bases:
            await cast("Training", bot.cogs["train"]).refresh()
            return
        await asyncio.sleep(0.25)
    raise UserError("scheduler_away")
