"""How soon commands are acknowledged while a training saturates the cores and photos arrive."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psutil

from benchmarks import machine, table
from benchmarks.speed.concurrent import AnswerTimes, make_photo, sending_concurrently
from benchmarks.speed.service import Service, list_mascot_photos
from bot import wording
from bot.demo.stage import open_stage, wait_for_catalog
from bot.demo.world import FRIEND, OWNER
from storage.errors import UserError
from storage.events import Progress

if TYPE_CHECKING:
    from bot.bot import Bot
    from bot.demo.world import World

COMMON, SLOWEST = 0.3, 1.5  #: seconds: of 99 in a hundred, of each
COMMAND_INTERVAL = 0.15  #: seconds between two commands
PHOTOS = 10
PHOTOS_INTERVAL = 20  #: commands from one arrival of ten photos to the next, at least
COMMANDS: tuple[tuple[str, dict[str, object]], ...] = (
    ("dataset show", {"name": "glim"}),
    ("jobs", {}),
    ("help", {}),
    ("train lora", {"dataset": "glim"}),
    ("me", {}),
    ("dataset show", {"name": "glim"}),
    ("style list", {}),
    ("privacy", {}),
    ("train embedding", {"dataset": "glim"}),
    ("sample", {"prompt": "a glim emoji"}),
)


async def start_background_training(world: World, running: Service) -> None:
    """Let two people agree and have datasets, and begin a training that lasts."""
    for name in (OWNER, FRIEND):
        who = world.people[name].id
        await running.store.members.add_consent(who, wording.CONSENT, "benchmark")
        await running.add_dataset("album", [], who)
        glim = await running.add_dataset("glim", list_mascot_photos(), who)
    if running.member != glim.owner:
        raise RuntimeError("the last of them trains")
    training = await running.queue_training(glim, seed=1, steps=5000)
    await running.wait_for_event(training, Progress)


async def send_commands(
    world: World, ears: AnswerTimes, bot: Bot, photos: list[bytes], count: int
) -> int:
    """Send commands at fixed times, among them ten photos as soon as the last ten are in."""
    turns, arrived = itertools.cycle(itertools.product(COMMANDS, (OWNER, FRIEND))), 0
    began = time.perf_counter()
    for number in range(count):
        ears.due = began + number * COMMAND_INTERVAL
        await asyncio.sleep(max(0.0, ears.due - time.perf_counter()))
        if number % PHOTOS_INTERVAL == 0 and not bot.running_commands:
            arrived += len(photos)
            for person, five in ((OWNER, photos[:5]), (FRIEND, photos[5:])):
                await send_photos(world, person, five)
        (command, options), person = next(turns)
        await world.people[person].slash(world.channel, command, **options)
        await world.advance_clock()
    return arrived


async def send_photos(world: World, person: str, photos: list[bytes]) -> None:
    """Hand photos over."""
    files = {f"photo{at}": (f"{at}.jpg", content) for at, content in enumerate(photos, 1)}
    await world.people[person].slash(world.channel, "dataset add", name="album", **files)


async def measure(place: Path, count: int) -> list[table.Row]:
    """Run the bot and the scheduler, and let people talk."""
    photos = [make_photo(seed) for seed in range(PHOTOS)]
    async with open_stage(place) as (bot, world):
        await wait_for_catalog(bot)
        catalog = await bot.store.catalog.read()
        who = world.people[FRIEND].id
        running = Service(bot.store, catalog, who, world.server.id, world.channel.id)
        await start_background_training(world, running)
        await world.advance_clock()
        psutil.cpu_percent()
        with sending_concurrently(world) as ears:
            arrived = await send_commands(world, ears, bot, photos, count)
            await asyncio.sleep(SLOWEST)
        busy = psutil.cpu_percent()
        kept = [await count_photos(running, world.people[name].id) for name in (OWNER, FRIEND)]
        bugs = [fault for fault in world.faults if not is_user_error(fault)]
        if bugs:
            raise RuntimeError(f"the bot raised {bugs}")
    more = f" ({sum(kept)} of them new)"
    return [
        *rows(ears.list_waits(), busy),
        table.figure("photos of 12 megapixels", arrived, "", more),
    ]


def is_user_error(fault: BaseException) -> bool:
    """Tell whether the bot meant it: a limit that is told in a sentence is an answer, too."""
    return isinstance(getattr(fault, "original", fault), UserError)


async def count_photos(running: Service, owner: int) -> int:
    """Count what a member's photos have become."""
    dataset = await running.store.datasets.get_by_name(owner, "album")
    return len(await running.store.photos.list_for(dataset.id, owner))


def rows(waits: dict[str, list[float]], busy: float) -> list[table.Row]:
    """Put the waits into rows."""
    every = [wait * 1000 for found in waits.values() for wait in found]
    slow = sorted(waits, key=lambda name: -max(waits[name]))[:3]
    each = ", ".join(f"/{name} {max(waits[name]) * 1000:.0f}" for name in slow)
    return [
        table.at_least("commands", len(every), 100),
        table.figure("cores in use meanwhile", busy, "%"),
        table.figure("acknowledged, median", statistics.median(every), "ms"),
        table.at_most("acknowledged, p99", table.quantile(every, 0.99), COMMON * 1000, "ms"),
        table.at_most("acknowledged, slowest", max(every), SLOWEST * 1000, "ms", f" ({each})"),
    ]


def main() -> int:
    """Print the table."""
    arguments = machine.parse_arguments(__doc__ or "")
    with TemporaryDirectory() as place:
        return table.print_table(
            asyncio.run(measure(Path(place), 100 if arguments.quick else 300))
        )


if __name__ == "__main__":
    sys.exit(main())
