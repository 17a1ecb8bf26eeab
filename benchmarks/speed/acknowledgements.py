"""Time the acknowledgement of commands while a training uses all cores and photos arrive."""

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
from bot.demo.stage import open_stage
from bot.demo.world import FRIEND, OWNER
from storage.errors import UserError
from storage.events import Progress
from storage.tables.consents import Terms

if TYPE_CHECKING:
    from bot.bot import Bot
    from bot.demo.world import World

COMMON, SLOWEST = 0.3, 1.5  #: seconds within which 99 % and all commands must be acknowledged
COMMAND_INTERVAL = 0.15  #: seconds between two commands
PHOTOS = 10
PHOTOS_INTERVAL = 20  #: least number of commands between two arrivals of ten photos
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
    """Add two members with datasets, and start a long training."""
    for name in (OWNER, FRIEND):
        member = world.people[name].id
        await running.store.consents.add(member, Terms(wording.CONSENT), "benchmark")
        await running.add_dataset("album", [], member)
        glim = await running.add_dataset("glim", list_mascot_photos(), member)
    if running.member != glim.owner:
        raise RuntimeError("the last member must own the training")
    training = await running.queue_training(glim, seed=1, steps=5000)
    await running.wait_for_event(training, Progress)


async def send_commands(
    world: World, answer_times: AnswerTimes, bot: Bot, photos: list[bytes], count: int
) -> int:
    """Send commands at fixed times, and ten photos whenever the last ten are done."""
    turns, arrived = itertools.cycle(itertools.product(COMMANDS, (OWNER, FRIEND))), 0
    began = time.perf_counter()
    for number in range(count):
        answer_times.due = began + number * COMMAND_INTERVAL
        await asyncio.sleep(max(0.0, answer_times.due - time.perf_counter()))
        if number % PHOTOS_INTERVAL == 0 and not bot.running_commands:
            arrived += len(photos)
            for person, five in ((OWNER, photos[:5]), (FRIEND, photos[5:])):
                await send_photos(world, person, five)
        (command, options), person = next(turns)
        await world.people[person].slash(world.channel, command, **options)
        await world.advance_clock()
    return arrived


async def send_photos(world: World, person: str, photos: list[bytes]) -> None:
    """Send photos to a dataset."""
    files = {f"photo{at}": (f"{at}.jpg", content) for at, content in enumerate(photos, 1)}
    await world.people[person].slash(world.channel, "dataset add", name="album", **files)


async def measure(place: Path, count: int) -> list[table.Row]:
    """Run the bot and the scheduler, and send commands as members."""
    photos = [make_photo(seed) for seed in range(PHOTOS)]
    async with open_stage(place) as (bot, world):
        catalog = await bot.store.catalog.read()
        member = world.people[FRIEND].id
        running = Service(bot.store, catalog, member, world.server.id, world.channel.id)
        await start_background_training(world, running)
        await world.advance_clock()
        psutil.cpu_percent()
        with sending_concurrently(world) as answer_times:
            arrived = await send_commands(world, answer_times, bot, photos, count)
            await asyncio.sleep(SLOWEST)
        busy = psutil.cpu_percent()
        added = [await count_photos(running, world.people[name].id) for name in (OWNER, FRIEND)]
        bugs = [fault for fault in world.faults if not is_user_error(fault)]
        if bugs:
            raise RuntimeError(f"the bot raised {bugs}")
    more = f" ({sum(added)} of them new)"
    return [
        *rows(answer_times.list_waits(), busy),
        table.figure("photos of 12 megapixels", arrived, "", more),
    ]


def is_user_error(fault: BaseException) -> bool:
    """Return whether an error is a sentence for the user, which counts as an answer."""
    return isinstance(getattr(fault, "original", fault), UserError)


async def count_photos(running: Service, owner: int) -> int:
    """Count a member's photos."""
    dataset = await running.store.datasets.get_by_name(owner, "album")
    return len(await running.store.photos.list_for(dataset.id, owner))


def rows(waits: dict[str, list[float]], busy: float) -> list[table.Row]:
    """Return the rows of the waits."""
    milliseconds = [wait * 1000 for found in waits.values() for wait in found]
    slow = sorted(waits, key=lambda name: -max(waits[name]))[:3]
    each = ", ".join(f"/{name} {max(waits[name]) * 1000:.0f}" for name in slow)
    return [
        table.at_least("commands", len(milliseconds), 100),
        table.figure("cores in use meanwhile", busy, "%"),
        table.figure("acknowledged, median", statistics.median(milliseconds), "ms"),
        table.at_most(
            "acknowledged, p99", table.quantile(milliseconds, 0.99), COMMON * 1000, "ms"
        ),
        table.at_most(
            "acknowledged, slowest", max(milliseconds), SLOWEST * 1000, "ms", f" ({each})"
        ),
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
