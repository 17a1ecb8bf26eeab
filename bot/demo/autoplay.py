"""`safelight demo --autoplay OUT`: the whole way by itself, checked, with what came of it."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bot.demo import live, page
from bot.demo.diary import AstrayError
from bot.demo.journey import Journey
from bot.demo.stage import LOG, ready, stage
from bot.demo.welcome import greet
from storage.folders import write

if TYPE_CHECKING:
    from bot.demo.discordish import World

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
SIZES = {"page": (1280, 900), "page-phone": (390, 844)}
PATIENCE = 120.0  #: seconds a browser may take for one picture


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
    write(out / "journey.json", json.dumps(told, indent=1).encode())
    write(out / "transcript.md", journey.diary.text().encode())
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
        await photograph(journey.world, journey.out)
        await journey.leave()
        journey.ended()
    except (AstrayError, TimeoutError) as astray:
        return str(astray) or type(astray).__name__
    return ""


async def photograph(world: World, out: Path) -> None:
    """Take pictures of the page, as wide as a desk and as a phone, where there is a browser."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        live.say("No Chromium here, so no picture of the page.")
        return
    async with world.page() as screen, page.serve(screen, live.words(out), 0) as url:
        for name, (width, height) in SIZES.items():
            await shoot(browser, url, out / f"{name}.png", f"{width},{height}")


async def shoot(browser: str, url: str, path: Path, size: str) -> None:
    """Have a browser open the page and take its picture."""
    with TemporaryDirectory(prefix="safelight-browser-", ignore_cleanup_errors=True) as profile:
        child = await asyncio.create_subprocess_exec(
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            f"--user-data-dir={profile}", f"--window-size={size}", f"--screenshot={path}",
            "--virtual-time-budget=8000", url,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            async with asyncio.timeout(PATIENCE):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()
            sys.stderr.write("The browser took no picture in time.\n")
