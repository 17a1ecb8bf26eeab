"""`safelight demo`: the whole way in a browser, on this computer alone."""

from __future__ import annotations

import asyncio
import html
import logging
import shutil
import signal
import sys
import webbrowser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bot import wording
from bot.demo import page
from bot.demo.mascot import ASIDE, TRAINED, pictures
from bot.demo.stage import ready, stage
from bot.demo.welcome import greet
from storage.signals import call_on_stop

if TYPE_CHECKING:
    from bot.demo.discordish import Screen, World

log = logging.getLogger(__name__)

TURN = 0.5  #: seconds between two looks at what has changed


async def show(port: int, *, browser: bool) -> int:
    """Serve the demo until somebody has had enough."""
    if showing := asyncio.current_task():
        call_on_stop(showing.cancel, (signal.SIGTERM,))
    with TemporaryDirectory(prefix="safelight-demo-", ignore_cleanup_errors=True) as folder:
        try:
            await perform(Path(folder), port, browser=browser)
        except asyncio.CancelledError:
            say(wording.shell.STOPPED)
    return 0


async def perform(folder: Path, port: int, *, browser: bool) -> None:
    """Set everything up, say where it is, and keep it going."""
    say(wording.demo.STARTING)
    shelf = lay_out(folder / "pictures")
    async with stage(folder) as (bot, world):
        await ready(bot)
        await greet(bot, world.channel.id, world.server.id)
        async with world.page() as screen, page.serve(screen, words(shelf), port) as url:
            say(wording.fill(wording.demo.SHOWN, url=url, pictures=shelf))
            if browser:
                await asyncio.to_thread(webbrowser.open, url)
            await keep_going(world, screen)


async def keep_going(world: World, screen: Screen) -> None:
    """Let time pass, and redraw the page when the bot has said something."""
    while True:
        await asyncio.sleep(TURN)
        try:
            await world.live()
            if world.stirred():
                await screen.draw()
        except TimeoutError:
            log.warning("The bot is still busy", exc_info=True)


def lay_out(shelf: Path) -> Path:
    """Put the mascot's pictures where a person finds them."""
    shelf.mkdir(parents=True)
    for picture in pictures(TRAINED + ASIDE):
        shutil.copy(picture, shelf)
    return shelf


def words(shelf: Path) -> page.Words:
    """Say beside the channel what to try."""
    sidebar = wording.fill(wording.demo.SIDEBAR, pictures=html.escape(str(shelf)))
    return page.Words(
        f'<section class="safelight">{sidebar}</section>',
        f'<p class="safelight-banner">{wording.demo.BANNER}</p>',
    )


def say(line: str) -> None:
    """Tell the person at the terminal."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
