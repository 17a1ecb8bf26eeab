"""Press the demo's button in a browser: time it to the result's card, and take its picture."""

from __future__ import annotations

import asyncio
import base64
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from benchmarks import machine, table
from bot import wording
from bot.demo import live, page
from bot.demo.browser import SETTLED, Tab, find_chromium, open_browser, open_tab
from bot.demo.stage import open_stage
from storage.folders import write_whole

MAX_CARD_SECONDS = 120.0  #: from the press to the card; the bar, on two idle cores
PATIENCE_SECONDS = 900.0
LAYOUT_SECONDS = 1.0  #: until the page has its new size
SIZE = (540, 1700)  #: pixels of the page, between a phone's and a desktop's
READY = wording.result.TITLE.rpartition("}")[2]
CARD = (
    "[...document.querySelectorAll('.channel-message .component-container')]"
    f".find(each => each.innerText.includes({READY!r}))"
)
CLIP = "({x, y, width, height}) => ({x, y, width, height, scale: 1})"


@asynccontextmanager
async def open_demo(program: str) -> AsyncIterator[Tab]:
    """Run the demo and open its page."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        async with (
            open_stage(Path(folder)) as (_, world),
            world.page() as screen,
            page.serve(screen, live.make_page_text(), 0) as url,
            open_browser(program) as address,
            open_tab(address, url) as tab,
        ):
            redrawing = asyncio.create_task(live.keep_page_current(world, screen))
            try:
                yield tab
            finally:
                redrawing.cancel()
                await asyncio.gather(redrawing, return_exceptions=True)


async def press(tab: Tab, label: str) -> float:
    """Press the newest button with a label, and return when."""
    named = f"[...document.querySelectorAll('button')].findLast(b => b.innerText === {label!r})"
    await tab.wait_until(f"(b => b && !b.disabled && b.ariaDisabled !== 'true')({named})")
    await tab.run(f"{named}.click()")
    return time.monotonic()


async def wait_for(tab: Tab, text: str) -> float:
    """Wait until the page says something and shows its pictures; return when."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await tab.run(f"document.body.innerText.includes({text!r})"):
            await asyncio.sleep(0.2)
    await tab.wait_until(SETTLED)
    return time.monotonic()


async def take_picture(tab: Tab, path: Path) -> None:
    """Save the result's card as a picture."""
    await tab.resize(*SIZE)
    await tab.wait_until(SETTLED)
    await tab.run(f"{CARD}.scrollIntoView({{block: 'start'}})")
    await asyncio.sleep(LAYOUT_SECONDS)
    clip = await tab.run(f"({CLIP})({CARD}.getBoundingClientRect())")
    taken = await tab.call("Page.captureScreenshot", format="png", clip=clip)
    write_whole(path, base64.b64decode(taken["data"]))


def count_worker_seconds() -> float:
    """Return the processor time of the demo's worker so far, in seconds."""
    children = psutil.Process().children(recursive=True)
    return sum(sum(child.cpu_times()[:2]) for child in children if "worker" in child.cmdline())


async def measure(program: str, out: Path | None) -> list[table.Row]:
    """Press the button, wait for the card, then press what it recommends."""
    async with open_demo(program) as tab:
        before = count_worker_seconds()
        pressed = await press(tab, wording.demo.TRAIN_MASCOT)
        card = await wait_for(tab, READY) - pressed
        worked = count_worker_seconds() - before
        if out:
            await take_picture(tab, out)
        prompt = await tab.run("document.querySelector('.safelight-prompt').innerText")
        pressed = await press(tab, prompt)
        drawn = await wait_for(tab, wording.sample.AGAIN) - pressed
    return [
        table.at_most("from the button to the result's card", card, MAX_CARD_SECONDS, "s"),
        table.figure("the same in the worker's processor time", worked, "s"),
        table.figure("from a recommended prompt to its four pictures", drawn, "s"),
    ]


def main() -> int:
    """Print the table; `--out` is the picture of the card."""
    arguments = machine.parse_arguments(__doc__ or "", out=Path)
    program = find_chromium()
    if program is None:
        sys.exit("This needs a Chromium.")
    return table.print_table(asyncio.run(measure(program, arguments.out)))


if __name__ == "__main__":
    sys.exit(main())
