"""`safelight demo --autoplay OUT`: play the whole journey, check it, and keep what came of it."""

from __future__ import annotations

import asyncio
import json
import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from bot import wording
from bot.demo import live, page
from bot.demo.asking import ask_friend
from bot.demo.browser import SETTLED, find_chromium, open_browser, open_tab
from bot.demo.journey import Journey
from bot.demo.stage import LOG, open_stage
from bot.demo.transcript import JourneyError
from bot.demo.uploading import upload_photos
from bot.demo.welcome import NAME, STEPS
from storage.folders import write_whole
from storage.records import Dial

PAGE_SIZE, PHONE_SIZE = (1280, 900), (390, 844)  #: pixels of a desktop's and a phone's window
CARD_SIZE = (560, 2400)  #: pixels of a window that holds a whole card
#: an expression: where the card is that says something, scrolled into view
CARD_PLACE = """(() => {{
    const cards = [...document.querySelectorAll('.component-container')];
    const card = cards.find((each) => each.innerText.includes({said!r}));
    card.scrollIntoView();
    const {{ x, y, width, height }} = card.getBoundingClientRect();
    return {{ x, y, width, height }};
}})()"""
LAYOUT_SECONDS = 2.0  #: until the page has its new size
MASCOT_STEPS = {Dial.QUICK: 50, Dial.BALANCED: STEPS, Dial.THOROUGH: 2 * STEPS}


def autoplay(out: Path, dial: Dial) -> int:
    """Play the journey, its trainings by a dial; return exit code 0 only if all went right."""
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="safelight-demo-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        try:
            wrong = asyncio.run(run_journey(home, out, dial))
        finally:
            for log in (home / LOG, *home.glob("workers/*/log.txt")):
                shutil.copy(log, out / f"{log.parent.name if log.name != LOG else 'the'}-log.txt")
    if wrong:
        live.print_line(f"✗ {wrong}")
    return int(bool(wrong))


async def run_journey(home: Path, out: Path, dial: Dial) -> str:
    """Set everything up and play the chapters; return what went wrong, or ""."""
    async with open_stage(home, MASCOT_STEPS[dial]) as (bot, world):
        journey = Journey(bot, world, out, dial)
        wrong = await play_chapters(journey)
    summary = {
        "seconds_total": round(journey.transcript.seconds, 1),
        "slowest_ack_ms": round(journey.slowest * 1000),
        "jobs": journey.jobs,
    } | ({"wrong": wrong} if wrong else {})
    write_whole(out / "journey.json", json.dumps(summary, indent=1).encode())
    write_whole(out / "transcript.md", journey.transcript.to_markdown().encode())
    live.print_line(json.dumps(summary))
    return wrong


async def play_chapters(journey: Journey) -> str:
    """Play one chapter after the other; return what was missing, or ""."""
    try:
        await take_screenshot(journey, "page", PAGE_SIZE)
        await journey.train_mascot()
        await take_screenshot(journey, "phone", PHONE_SIZE)
        await take_screenshot(journey, "result", CARD_SIZE, card=f"{NAME} is ready")
        await journey.guess()
        await ask_friend(journey)
        await journey.share()
        await journey.add_photos()
        await journey.wait_for_captions()
        await journey.choose_crop()
        await upload_photos(journey)
        await journey.train("embedding")
        await journey.erase_everything()
        journey.check_no_errors()
    except (JourneyError, TimeoutError) as astray:
        return str(astray) or type(astray).__name__
    return ""


async def take_screenshot(
    journey: Journey, name: str, size: tuple[int, int], card: str = ""
) -> None:
    """Take a screenshot of the page as it opens, at its newest message, if there is a browser.

    With `card`, only of the first card that says this.
    """
    program = find_chromium()
    if program is None:
        live.print_line(wording.demo.NO_CHROMIUM)
        return
    async with (
        journey.world.page() as screen,
        page.serve(screen, live.make_page_text(), 0) as url,
        open_browser(program) as address,
        open_tab(address, url) as opened,
    ):
        await opened.resize(*size)
        await opened.wait_for_text("Safelight")
        await asyncio.sleep(LAYOUT_SECONDS)
        with suppress(TimeoutError):  # a missing picture does not end the journey
            await opened.wait_until(SETTLED)
        place = await opened.run(CARD_PLACE.format(said=card)) if card else {}
        write_whole(journey.out / f"{name}.png", await opened.screenshot(**place))
