"""`safelight demo`: try everything in a browser, on this computer alone."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import webbrowser
from pathlib import Path
from tempfile import TemporaryDirectory

from bot import wording
from bot.demo import page
from bot.demo.mascot import HELD_OUT, TRAINED
from bot.demo.stage import open_stage
from bot.demo.welcome import NAME
from bot.demo.world import Screen, World
from storage.planning.prompts import recommend_prompts
from storage.records import Concept
from storage.signals import call_on_stop

log = logging.getLogger(__name__)

REFRESH_SECONDS = 0.5  #: between two redrawings


async def serve_demo(port: int, *, browser: bool) -> int:
    """Serve the demo until it is interrupted; return exit code 0."""
    if showing := asyncio.current_task():
        call_on_stop(showing.cancel, (signal.SIGTERM,))
    with TemporaryDirectory(prefix="safelight-demo-", ignore_cleanup_errors=True) as folder:
        try:
            await run_demo(Path(folder), port, browser=browser)
        except asyncio.CancelledError:
            print_line(wording.shell.STOPPED)
    return 0


async def run_demo(folder: Path, port: int, *, browser: bool) -> None:
    """Set everything up, print the address, and serve the page."""
    print_line(wording.demo.STARTING)
    async with (
        open_stage(folder) as (_, world),
        world.page() as screen,
        page.serve(screen, make_page_text(), port) as url,
    ):
        print_line(wording.fill(wording.demo.READY, url=url))
        if browser:
            await asyncio.to_thread(webbrowser.open, url)
        await keep_page_current(world, screen)


async def keep_page_current(world: World, screen: Screen) -> None:
    """Advance the clock, and redraw the page when the bot has changed something."""
    while True:
        await asyncio.sleep(REFRESH_SECONDS)
        try:
            await world.advance_clock()
            if world.has_changed():
                await screen.refresh()
        except TimeoutError:
            log.warning("The bot is still busy", exc_info=True)


def make_page_text() -> page.PageText:
    """Return the page's sidebar and banner."""
    pictures = "".join(
        f'<a href="/pictures/{name}.png" download title="{name}.png">'
        f'<img src="/pictures/{name}.png" alt="{name}"></a>'
        for name in TRAINED + HELD_OUT
    )
    prompts = "".join(
        f'<button type="button" class="safelight-prompt" disabled>{prompt}</button>'
        for prompt in recommend_prompts(NAME.lower(), Concept.SUBJECT, small=True)
    )
    sidebar = wording.fill(wording.demo.SIDEBAR, pictures=pictures, prompts=prompts)
    return page.PageText(
        f'<section class="safelight" data-share="{wording.demo.SHARE_WITH_ROBIN}">'
        f"{sidebar}</section>",
        f'<input type="checkbox" id="safelight-hide" aria-label="{wording.demo.DISMISS}">'
        f'<p class="safelight-banner"><span>{wording.demo.BANNER}'
        f'<span class="more">{wording.demo.BANNER_MORE}</span></span>'
        f'<label for="safelight-hide" title="{wording.demo.DISMISS}">&times;</label></p>',
    )


def print_line(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
