"""Time cards of a dataset of 1,000 photos, and the bot while 50 members send 20 photos each."""

from __future__ import annotations

import asyncio
import gc
import io
import random
import statistics
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import psutil
from PIL import Image, ImageDraw

from benchmarks import machine, table
from benchmarks.speed.concurrent import sending_concurrently
from benchmarks.speed.intake import is_darkroom
from benchmarks.speed.stalls import watching_stalls
from bot import wording
from bot.demo.stage import open_stage
from bot.demo.world import OWNER
from storage.records import Concept
from storage.tables.consents import Terms

if TYPE_CHECKING:
    from bot.bot import Bot
    from bot.demo.world import World

PHOTOS, MEMBERS, PHOTOS_EACH = 1000, 50, 20
SMALL, LARGE = (200, 160), (1600, 1200)  #: pixels: of photos that fill a dataset, and that arrive
MAX_CARD_SECONDS, MAX_STALL_SECONDS = 1.0, 0.1
TURNS = 3  #: of each card; the fastest counts, because other work comes and goes
MAX_ARRIVAL_SECONDS = 600.0
LATER = 8  #: pages that are turned
CARDS: tuple[tuple[str, dict[str, object]], ...] = (
    ("dataset show", {"name": "album"}),
    ("dataset captions", {"name": "album"}),
    ("dataset export", {"name": "album"}),
    ("dataset delete", {"name": "album"}),
    ("train lora", {"dataset": "album"}),
    ("train auto", {"dataset": "album"}),
    ("me", {}),
    ("privacy", {}),
)


def draw_photo(seed: int, size: tuple[int, int]) -> bytes:
    """Return a JPEG with edges that no other seed has."""
    generator = random.Random(seed)  # noqa: S311  # a picture
    picture = Image.new("RGB", size, f"hsl({generator.randrange(360)}, 60%, 60%)")
    draw = ImageDraw.Draw(picture)
    for _ in range(40):
        x, y = (generator.randrange(side) for side in size)
        width, height = (generator.randrange(9, side // 3) for side in size)
        hue = generator.randrange(360)
        draw.ellipse((x, y, x + width, y + height), f"hsl({hue}, 80%, 50%)")
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90)
    return file.getvalue()


def zip_photos(first: int) -> bytes:
    """Return a zip of photos."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for number in range(PHOTOS_EACH):
            packed.writestr(f"{number}.jpg", draw_photo(first + number, LARGE))
    return file.getvalue()


async def fill_album(bot: Bot, world: World, count: int) -> float:
    """Add photos to a dataset, and return the seconds that storing one of the last took."""
    owner = world.people[OWNER].id
    await bot.store.consents.add(owner, Terms(wording.CONSENT), "benchmark")
    made = await bot.store.datasets.create(owner, world.server.id, "album", Concept.SUBJECT)
    seconds = []
    for number in range(count):
        checked = await bot.darkroom.check(draw_photo(number, SMALL))
        began = time.perf_counter()
        await bot.store.photos.add(made, checked)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds[-count // 10 :])


async def time_cards(world: World) -> list[table.Row]:
    """Return the rows of the dataset's cards, by the clock and by processor time."""
    cards: dict[str, Taken] = {}
    for _ in range(TURNS):
        for command, options in CARDS:
            with timing_card(cards, f"/{command}"):
                await world.slash(OWNER, command, **options)
        answer = await world.slash(OWNER, "dataset show", name="album")
        for _ in range(LATER):
            with timing_card(cards, "a later page"):
                answer = await world.press(OWNER, require(answer.message), wording.dataset.LATER)
    slowest = max(cards, key=lambda name: cards[name].computed)
    each = ", ".join(f"{name} {took.computed:.2f}" for name, took in cards.items())
    clock = max(took.seconds for took in cards.values())
    return [
        table.at_most(
            f"slowest card ({slowest}), processor time",
            cards[slowest].computed,
            MAX_CARD_SECONDS,
            "s",
            f" ({each})",
        ),
        table.figure("the same by the clock, beside what else runs", clock, "s"),
    ]


class Taken(NamedTuple):
    """What a card took: seconds by the clock, and of processors."""

    seconds: float
    computed: float


@contextmanager
def timing_card(cards: dict[str, Taken], name: str) -> Iterator[None]:
    """Keep the least that a card took."""
    began, busy = time.perf_counter(), sum_processor_seconds()
    yield
    took = Taken(time.perf_counter() - began, sum_processor_seconds() - busy)
    known = cards.get(name, took)
    cards[name] = Taken(min(known.seconds, took.seconds), min(known.computed, took.computed))


def sum_processor_seconds() -> float:
    """Return the processor seconds of this process and of its darkroom so far."""
    children = [each for each in psutil.Process().children() if is_darkroom(each)]
    times = [each.cpu_times() for each in (psutil.Process(), *children)]
    return float(sum(each.user + each.system for each in times))


def require(message: Any) -> Any:
    """Return the message of an answer; raise RuntimeError if there is none."""
    if message is None:
        raise RuntimeError("the bot did not answer")
    return message


async def send_from_all(bot: Bot, world: World, members: int) -> list[table.Row]:
    """Let members send photos at once, and return the longest stall of the event loop."""
    sent = {}
    for number in range(members):
        person = world.server.add_member(world.env.create_user(f"member{number}"))
        await bot.store.consents.add(person.id, Terms(wording.CONSENT), "benchmark")
        made = await bot.store.datasets.create(person.id, world.server.id, "mine", Concept.SUBJECT)
        sent[made.id] = person, await asyncio.to_thread(zip_photos, 10_000 + number * PHOTOS_EACH)
    gc.collect()
    gc.freeze()  # as the bot does at its start; what the offline Discord keeps is not the bot's
    began, expected = time.perf_counter(), members * PHOTOS_EACH
    with sending_concurrently(world):
        async with watching_stalls() as stalls:
            for person, packed in sent.values():
                file = ("mine.zip", packed)
                await person.slash(world.channel, "dataset add", name="mine", photo1=file)
            stored = 0
            while stored < expected and time.perf_counter() - began < MAX_ARRIVAL_SECONDS:
                await asyncio.sleep(0.5)
                counts = [await count_photos(bot, made, sent[made][0].id) for made in sent]
                stored = sum(counts)
    if stored < expected or world.faults:
        raise RuntimeError(f"{stored} of {expected} photos arrived; {world.faults}")
    seconds = time.perf_counter() - began
    clock = f" ({stalls.longest * 1000:.0f} ms by the clock)"
    return [
        table.at_most(
            f"{members} members x {PHOTOS_EACH} photos: longest computing in the event loop",
            stalls.computed * 1000,
            MAX_STALL_SECONDS * 1000,
            "ms",
            clock,
        ),
        table.figure("their photos, stored", expected / seconds, "/s"),
    ]


async def count_photos(bot: Bot, dataset: int, owner: int) -> int:
    """Count the photos of a member's dataset."""
    return len(await bot.store.photos.list_for(dataset, owner))


async def measure(place: Path, part: int) -> list[table.Row]:
    """Run the bot on an offline Discord; `part` divides the work."""
    async with open_stage(place) as (bot, world):
        added = await fill_album(bot, world, PHOTOS // part)
        cards = await time_cards(world)
        stalls = await send_from_all(bot, world, MEMBERS // part)
        return [table.figure("storing one more photo", added * 1000, "ms"), *cards, *stalls]


def main() -> int:
    """Print the table."""
    arguments = machine.parse_arguments(__doc__ or "")
    with TemporaryDirectory() as place:
        return table.print_table(asyncio.run(measure(Path(place), 10 if arguments.quick else 1)))


if __name__ == "__main__":
    sys.exit(main())
