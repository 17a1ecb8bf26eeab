"""Four pictures of a megapixel written by a run, over Pillow's way: one by one, at its own level.

A GPU waits for as long, once a round of previews.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from benchmarks import machine, table
from bot.demo.mascot import picture_files
from training.pictures import write_pictures

SIDE, COUNT = 1024, 4
PAIRS, QUICK_PAIRS = 20, 3


def write_plainly(paths: list[Path], pictures: list[Image.Image]) -> None:
    """Write pictures one by one."""
    for path, picture in zip(paths, pictures, strict=True):
        picture.save(path)


def measure(write: Callable[[], None]) -> float:
    """Return the seconds of a call."""
    began = time.perf_counter()
    write()
    return time.perf_counter() - began


def draw_pictures() -> list[Image.Image]:
    """Return pictures of a base's size, with grain as a base draws it."""
    grain = Image.effect_noise((SIDE, SIDE), 8).convert("RGB")
    return [
        Image.blend(Image.open(path).convert("RGB").resize((SIDE, SIDE)), grain, 0.1)
        for path in picture_files()[:COUNT]
    ]


def main() -> int:
    """Print the table."""
    quick = machine.parse_arguments(__doc__ or "").quick
    pictures = draw_pictures()
    with TemporaryDirectory() as place:
        ours, plain = ([Path(place) / f"{at}{kind}.png" for at in range(COUNT)] for kind in "ab")
        pairs = [
            (
                measure(partial(write_pictures, ours, pictures)),
                measure(partial(write_plainly, plain, pictures)),
            )
            for _ in range(QUICK_PAIRS if quick else PAIRS)
        ]
        sizes = [sum(path.stat().st_size for path in paths) for paths in (ours, plain)]
    return table.print_table([
        table.at_most("four pictures of a megapixel, of Pillow's time", table.ratio(pairs), 0.5),
        table.figure("the same, of its bytes", sizes[0] / sizes[1]),
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
