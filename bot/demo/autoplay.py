"""`safelight demo --autoplay OUT`: the whole way by itself, checked, with what came of it."""

from __future__ import annotations

import asyncio
import json
import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from bot import wording
from bot.demo import live, page
from bot.demo.browser import LOADED, browser, tab
from bot.demo.diary import AstrayError
from bot.demo.journey import Journey
from bot.demo.stage import LOG, ready, stage
from bot.demo.welcome import greet
from storage.folders import write_whole

SIZES = {"page": (1280, 900), "page-phone": (390, 844)}
SETTLED = 2.0  #: seconds until the page has found its new size


def play(out: Path) -> int:
    """Play the journey; the exit code is 0 only if all of it happened."""
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="safelight-demo-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        try:
            wrong = asyncio.run(perform(home, out))
        finally:
            for log in (home / LOG, *home.glob("workers/*/log.txt")):
                shutil.copy(log, out / f"{log.parent.name if log.name != LOG else 'the'}-log.txt")
    if wrong:
        live.say(f"✗ {wrong}")
    return int(bool(wrong))


async def perform(home: Path, out: Path) -> str:
    """Set everything up and travel; return what went wrong."""
    async with stage(home, collect=True) as (bot, world):
        await ready(bot)
        await greet(bot, world.channel.id, world.server.id)
        journey = Journey(bot, world, out)
        wrong = await travel(journey)
    told = {
        "seconds_total": round(journey.diary.seconds, 1),
        "slowest_ack_ms": round(journey.slowest * 1000),
        "jobs": journey.jobs,
    } | ({"wrong": wrong} if wrong else {})
    write_whole(out / "journey.json", json.dumps(told, indent=1).encode())
    write_whole(out / "transcript.md", journey.diary.text().encode())
    live.say(json.dumps(told))
    return wrong


async def travel(journey: Journey) -> str:
    """Go from chapter to chapter; return what was missing, if anything was."""
    try:
        await journey.hand_over()
        await journey.captions()
        for method in ("lora", "embedding"):
            await journey.train(method)
        await journey.sample()
        await photograph(journey)
        await journey.leave()
        journey.ended()
    except (AstrayError, TimeoutError) as astray:
        return str(astray) or type(astray).__name__
    return ""


async def photograph(journey: Journey) -> None:
    """Take pictures of the page, as wide as a desk and as a phone, where there is a browser."""
    program = browser()
    if program is None:
        live.say(wording.demo.NO_PICTURE)
        return
    shelf = live.lay_out(journey.bot.store.home.path / "pictures")
    async with (
        journey.world.page() as screen,
        page.serve(screen, live.words(shelf), 0) as url,
        tab(program, url) as opened,
    ):
        for name, size in SIZES.items():
            await opened.resize(*size)
            await opened.shows("Safelight")
            await asyncio.sleep(SETTLED)
            with suppress(TimeoutError):  # a picture less is no reason to go astray
                await opened.until(LOADED)
            write_whole(journey.out / f"{name}.png", await opened.picture())
