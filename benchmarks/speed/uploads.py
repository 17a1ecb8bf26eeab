"""Upload 200 photos through a browser whose connection is cut at every twentieth one.

A proxy before the bot's web server cuts it. Counted is what was lost or came twice, and how long
the bot's event loop stood still.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from PIL import Image
from yarl import URL

from benchmarks import machine, table
from benchmarks.speed.stalls import watching_stalls
from bot.__main__ import make_bot
from bot.demo.browser import find_chromium, open_browser, open_tab
from bot.demo.stage import serve_links
from bot.demo.world import OWNER, World, run_world
from bot.settings import BotSettings
from storage.records import Concept, Dataset

if TYPE_CHECKING:
    from bot.bot import Bot

PHOTOS, EVERY = 200, 20
SIZE = (1600, 1200)  #: pixels of a photo; half a megabyte
MAX_SECONDS = 900.0
MAX_STALL_MS = 100
PUT = b"PUT /upload/"
PIECE_BYTES = 1 << 16
AGREE = "['input', 'button'].forEach(each => document.querySelector(`#consent ${each}`).click())"


class Connection:
    """A connection that is forwarded, until somebody ends it or it is cut."""

    def __init__(self, proxy: CuttingProxy) -> None:
        self.proxy, self.mute = proxy, False

    async def send(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward what the browser sends; a cut is now amid a file, now before its answer."""
        while piece := await reader.read(PIECE_BYTES):
            if piece.startswith(PUT) and self.proxy.is_next_cut():
                if self.proxy.cuts % 2:
                    writer.write(piece[: len(piece) // 2])
                    return
                self.mute = True  # the server has the file, and nobody knows
            writer.write(piece)
            await writer.drain()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward what the server answers."""
        while (piece := await reader.read(PIECE_BYTES)) and not self.mute:
            writer.write(piece)
            await writer.drain()


class CuttingProxy:
    """Forwards connections to a port, and cuts the one that every n-th file comes by."""

    def __init__(self, port: int, every: int) -> None:
        self.port, self.every = port, every
        self.files = self.cuts = 0

    def is_next_cut(self) -> bool:
        """Count a file, and return whether its connection is cut."""
        self.files += 1
        cut = self.files % self.every == 0
        self.cuts += cut
        return cut

    async def forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection."""
        there, sending = await asyncio.open_connection("127.0.0.1", self.port)
        known = Connection(self)
        ways = (known.send(reader, sending), known.answer(there, writer))
        tasks = [asyncio.ensure_future(way) for way in ways]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for end in (sending, writer):
            end.close()


@asynccontextmanager
async def cutting(bot: Bot, every: int) -> AsyncIterator[CuttingProxy]:
    """Have the bot's links lead through a proxy that cuts."""
    address = URL(bot.web.public or "")
    proxy = CuttingProxy(address.port or 0, every)
    server = await asyncio.start_server(proxy.forward, "127.0.0.1", 0)
    async with server:
        bot.web.public = str(address.with_port(server.sockets[0].getsockname()[1]))
        try:
            yield proxy
        finally:
            bot.web.public = str(address)


def draw_photos(folder: Path, count: int) -> list[Path]:
    """Draw photos of which no two are alike."""
    paths = []
    for number in range(count):
        rng = random.Random(number)  # noqa: S311 (to be repeated)
        image = Image.effect_noise((SIZE[0] // 4, SIZE[1] // 4), 60).convert("RGB").resize(SIZE)
        for _ in range(30):
            x, y, side = rng.randrange(SIZE[0]), rng.randrange(SIZE[1]), rng.randrange(40, 400)
            image.paste(tuple(rng.randrange(256) for _ in range(3)), (x, y, x + side, y + side))
        paths.append(folder / f"{number}.jpg")
        image.save(paths[-1], quality=85)
    return paths


@asynccontextmanager
async def run_bot(home: Path) -> AsyncIterator[tuple[Bot, World]]:
    """Run a bot with its page, and no scheduler."""
    settings = BotSettings(_env_file=None, home=home, port=0, min_free_mib=0)  # type: ignore[call-arg]
    bot = make_bot(settings)
    try:
        async with run_world(bot) as world:
            await serve_links(bot)
            yield bot, world
    finally:
        await bot.close_features()


async def upload(program: str, url: str, photos: list[Path]) -> tuple[float, str]:
    """Upload photos in a browser; return the seconds, and what the page says at the end."""
    async with open_browser(program) as address, open_tab(address, url) as tab:
        await tab.wait_until("document.querySelector('#terms').innerText")
        await tab.run(AGREE)
        await tab.wait_until("document.querySelector('#consent').hidden")
        began = time.perf_counter()
        await tab.choose_files("#files", photos)
        async with asyncio.timeout(MAX_SECONDS):
            while not await tab.run(f"files.length === {len(photos)} && !files.some(isOpen)"):
                await asyncio.sleep(0.25)
        seconds = time.perf_counter() - began
        return seconds, await tab.run("document.querySelector('#notes').innerText")


async def measure(program: str, folder: Path, count: int) -> list[table.Row]:
    """Upload photos, and count what came."""
    photos = await asyncio.to_thread(draw_photos, folder, count)
    async with run_bot(folder / "home") as (bot, world), cutting(bot, EVERY) as proxy:
        member = world.people[OWNER].id
        dataset = await bot.store.datasets.create(member, world.server.id, "dog", Concept.SUBJECT)
        link = bot.web.upload_link(dataset, member)
        async with watching_stalls() as stalls:
            seconds, notes = await upload(program, link.url if link else "", photos)
        return [
            table.figure("photos through a browser", count, "", f" in {seconds:.0f} s"),
            table.at_least("connections cut", proxy.cuts, count // EVERY),
            *await count_photos(bot, dataset, photos),
            table.at_most("refused", len(notes.splitlines()), 0),
            table.at_most(
                "longest stall of the event loop, its processor time",
                stalls.computed * 1000,
                MAX_STALL_MS,
                "ms",
                f" ({stalls.longest * 1000:.0f} ms in all)",
            ),
        ]


async def count_photos(bot: Bot, dataset: Dataset, photos: list[Path]) -> list[table.Row]:
    """Return how many photos were lost, and how many came twice."""
    stored = await bot.store.photos.list_for(dataset.id, dataset.owner)
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in photos]
    found = await bot.store.uploads.find(dataset, digests)
    arrived = {photo.id for photo in found.values()}
    return [
        table.at_most("lost", len(photos) - len(arrived), 0),
        table.at_most("doubled", len(stored) - len(arrived), 0),
    ]


def main() -> int:
    """Print the table."""
    arguments = machine.parse_arguments(__doc__ or "")
    program = find_chromium()
    if program is None:
        sys.exit("This needs a Chromium.")
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        count = PHOTOS // 5 if arguments.quick else PHOTOS
        return table.print_table(asyncio.run(measure(program, Path(folder), count)))


if __name__ == "__main__":
    sys.exit(main())
