"""Time the checks of photos of 12 megapixels in the darkroom, and count the memory of one."""

from __future__ import annotations

import asyncio
import io
import itertools
import math
import os
import statistics
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
from PIL import Image, ImageChops, ImageOps, ImageStat

from benchmarks import machine, table
from benchmarks.speed.concurrent import SIDES
from storage.photos.pixels import decode_picture, open_picture
from storage.photos.sandbox import Darkroom

PHOTOS, ROUNDS = 12, 4
CORES = 2
MIN_PHOTOS_A_SECOND = 25
MAX_MEMORY = 120  #: MB
MB = 1e6
TRAINED = (1024, 768)  #: pixels
MIN_LIKENESS = 45.0  #: dB; nobody sees a difference then
QUALITY = 90  #: of a JPEG; about two megabytes


class Spent(NamedTuple):
    """What checking photos took: seconds by the clock and of processors, and bytes of a child."""

    seconds: float
    processor_seconds: float
    peak_bytes: int
    idle_bytes: int


def tile_photos(folder: Path) -> Iterator[bytes]:
    """Yield JPEGs of 12 megapixels, tiled from the photos in a folder at their own size."""
    pictures = [Image.open(path).convert("RGB") for path in sorted(folder.rglob("*.jpg"))]
    for first in range(PHOTOS):
        turned = itertools.cycle(
            pictures[first % len(pictures) :] + pictures[: first % len(pictures)]
        )
        sheet, top = Image.new("RGB", SIDES), 0
        while top < SIDES[1]:
            left, height = 0, 0
            while left < SIDES[0]:
                picture = ImageOps.mirror(next(turned)) if first % 2 else next(turned)
                sheet.paste(picture, (left, top))
                left, height = left + picture.width, max(height, picture.height)
            top += height
        file = io.BytesIO()
        sheet.save(file, "JPEG", quality=QUALITY)
        yield file.getvalue()


async def check_all(photos: Iterable[bytes], children: int) -> Spent:
    """Check photos, several at once."""
    async with Darkroom(children=children) as darkroom:
        small = io.BytesIO()
        Image.new("RGB", (64, 64)).save(small, "JPEG")
        await asyncio.gather(*(darkroom.check(small.getvalue()) for _ in range(children)))
        started = [each for each in psutil.Process().children() if is_darkroom(each)]
        idle = max(read_peak(each) for each in started)
        began, busy = time.perf_counter(), sum_processor_seconds(started)
        await asyncio.gather(*(darkroom.check(photo) for photo in photos))
        seconds = time.perf_counter() - began
        processor_seconds = sum_processor_seconds(started) - busy
        return Spent(seconds, processor_seconds, max(map(read_peak, started)), idle)


def is_darkroom(process: psutil.Process) -> bool:
    """Return whether a process is a child of the darkroom."""
    return "storage.photos.child" in process.cmdline()


def sum_processor_seconds(children: Iterable[psutil.Process]) -> float:
    """Return the processor seconds of this process and its children so far."""
    times = [each.cpu_times() for each in (psutil.Process(os.getpid()), *children)]
    return float(sum(each.user + each.system for each in times))


def read_peak(process: psutil.Process) -> int:
    """Return the most bytes of memory that a process has had (Linux)."""
    status = Path(f"/proc/{process.pid}/status").read_text("utf-8")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def compare_decoded(photo: bytes) -> float:
    """Return how like a photo as it is kept is to all its pixels, at a training's size, in dB."""
    whole = Image.open(io.BytesIO(photo)).resize(TRAINED, Image.Resampling.LANCZOS)
    kept = decode_picture(open_picture(photo, "JPEG")).resize(TRAINED, Image.Resampling.LANCZOS)
    squares = ImageStat.Stat(ImageChops.difference(whole, kept)).sum2
    return 10 * math.log10(255**2 / (sum(squares) / (3 * TRAINED[0] * TRAINED[1])))


def measure(folder: Path, rounds: int) -> Iterator[table.Row]:
    """Yield the rows."""
    photos = [*tile_photos(folder)]
    spent = [asyncio.run(check_all(photos, CORES)) for _ in range(rounds)]
    processor = statistics.median(each.processor_seconds for each in spent) / len(photos)
    clock = statistics.median(each.seconds for each in spent) / len(photos)
    peak, idle = (max(getattr(s, name) for s in spent) for name in ("peak_bytes", "idle_bytes"))
    size = statistics.mean(map(len, photos)) / MB
    yield table.figure("JPEGs of 12 megapixels, each", size, "MB")
    yield table.figure(
        "processor time of one, with its way there and back", processor * 1000, "ms"
    )
    rate = "photos a second on two cores, by processor time"
    yield table.at_least(rate, CORES / processor, MIN_PHOTOS_A_SECOND)
    yield table.figure("the same by the clock, beside what else runs", 1 / clock)
    likeness = min(map(compare_decoded, photos))
    what = "as kept beside all pixels, at 1,024 pixels: peak signal to noise, least"
    yield table.at_least(what, likeness, MIN_LIKENESS, "dB")
    more = f" ({idle / MB:.0f} MB before the first)"
    yield table.at_most("memory of a child at most", peak / MB, MAX_MEMORY, "MB", more)


def main() -> int:
    """Print the table."""
    arguments = machine.parse_arguments(__doc__ or "", photos=Path)
    folder = arguments.photos or Path("../shared/data/photos")
    return table.print_table(measure(folder, 1 if arguments.quick else ROUNDS))


if __name__ == "__main__":
    sys.exit(main())
