"""Measure what the encryption of photos costs: reading one to train on it, memory, a whole folder.

    python -m benchmarks.speed.encryption

A photo is a PNG of noise on a gradient, 2048 pixels wide, as large as photographs come out. Plain
and encrypted ones take turns, in processor time.
"""

from __future__ import annotations

import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from benchmarks import machine, table
from storage.folders import Home
from storage.photofiles import PhotoKeys, new_key, read_photo, use_keys, using_keys, write_photo
from storage.rekey import rekey_photos

SIZE = (1536, 2048, 3)
NOISE = 6  #: of 255; makes the PNG about as large as that of a photograph
ROUNDS, PHOTOS = 20, 100
MIB = 1 << 20
KEY = new_key()


def draw_photo() -> bytes:
    """Return a PNG."""
    across = np.linspace(0, 255, SIZE[1])[None, :, None]
    noise = np.random.default_rng(7).normal(0, NOISE, SIZE)
    pixels = np.clip(across + noise, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(file := BytesIO(), "PNG")
    return file.getvalue()


def open_photo(path: Path) -> None:
    """Decode a photo, as a training does."""
    with Image.open(BytesIO(read_photo(path))) as opened:
        opened.load()


def measure(path: Path, work: Callable[[Path], object] = open_photo) -> float:
    """Return the processor seconds of reading a photo."""
    began = time.process_time()
    work(path)
    return time.process_time() - began


def measure_peak(path: Path) -> float:
    """Return the most MiB that reading a photo takes at once."""
    tracemalloc.start()
    read_photo(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / MIB


def measure_all(folder: Path, *, quick: bool) -> Iterator[table.Row]:
    """Yield the rows."""
    content, digest = draw_photo(), "ab" * 32
    rounds, photos = (3, 10) if quick else (ROUNDS, PHOTOS)
    plain, sealed = (folder / name for name in ("plain.png", "sealed.png"))
    with using_keys(PhotoKeys()):
        write_photo(plain, content, digest)
    write_photo(sealed, content, digest)
    pairs = [(measure(sealed), measure(plain)) for _ in range(rounds)]
    size = f"a photo of {len(content) / MIB:.1f} MiB"
    yield table.at_most(f"opening {size}, encrypted over plain", table.ratio(pairs), 1.1)
    only = statistics.median(measure(sealed, read_photo) for _ in range(rounds)) * 1000
    yield table.figure("the same, decrypting and reading alone", only, "ms")
    more = measure_peak(sealed) - measure_peak(plain)
    yield table.at_most(
        "memory at once beyond the plain file's, in photos", more * MIB / len(content), 1.1
    )
    home = Home(folder / "home")
    with using_keys(PhotoKeys()):
        for number in range(photos):
            write_photo(home.photo_file(f"{number:064x}"), content, f"{number:064x}")
    began = time.perf_counter()
    count = len([*rekey_photos(home, PhotoKeys.parse(KEY))])
    yield table.figure("safelight encrypt", count / (time.perf_counter() - began), "photos/s")


def main() -> int:
    """Print the table; return 1 if a bar is missed."""
    arguments = machine.parse_arguments(__doc__ or "")
    use_keys(PhotoKeys.parse(KEY))
    with TemporaryDirectory() as folder:
        return table.print_table(measure_all(Path(folder), quick=arguments.quick))


if __name__ == "__main__":
    sys.exit(main())
