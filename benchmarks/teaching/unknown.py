"""Measure whether the embedded captioner says so when it does not know what it sees.

Photographs come from folders, `--photos DIR` with one folder for each subject, and from the
packages of the pretraining's stage `photos`. No noun may be written for any of them. Of emoji,
hardly a right word may get lost: of its own held-out pictures (`--work DIR`, a work folder of the
pretraining), and of a style that it has never seen (`--npm DIR`, node_modules with that package).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageOps

from benchmarks import machine, table
from training.captioners.blip import Blip
from training.pretraining import photos
from training.pretraining.limits import load_captioner
from training.pretraining.names import EVERYDAY
from training.pretraining.pictures import render
from training.pretraining.score import on_background, to_picture
from training.pretraining.sources import read_sources
from training.pretraining.split import is_test_picture
from training.recipe.backgrounds import COLOURS

MAX_LOST_POINTS = 3.0
BATCH_SIZE = 24
FURTHER_STYLES = ("openmoji",)  # of @iconify-json
#: among the files of mvtb-data: no photographs, but drawn, printed or computed
DRAWN = ("5points", "adelson", "apriltag12", "eg-morph", "fisheye_target", "multiblobs",
         "scale-space", "segmentation", "shark", "wally", "wheres-wally")  # fmt: skip


class Emoji(NamedTuple):
    """A picture of an emoji, and its name."""

    picture: Image.Image
    name: str


def find_photographs(folder: Path | None) -> dict[str, list[Path]]:
    """Return the photographs in the folders of a folder, and those of packages."""
    packaged = [path for path in photos.list_files() if not path.stem.startswith(DRAWN)]
    own = [p for p in sorted(folder.glob("*/*")) if p.suffix in photos.SUFFIXES] if folder else []
    return {"photographs in folders": own, "photographs of packages": packaged}


def read_emoji(work: Path | None, npm: Path | None) -> dict[str, list[Emoji]]:
    """Return groups of emoji: held-out ones of known styles, everyday ones of unknown styles."""
    groups = dict[str, list[Emoji]]()
    if work:
        stored = torch.load(work / "pictures.pt", weights_only=True)
        pairs = zip(stored["names"], stored["styles"], strict=True)
        rgba = dict(zip(pairs, stored["rgba"], strict=True))
        keys = [key for key in rgba if is_test_picture(*key)]
        groups["held-out emoji"] = [
            Emoji(to_picture(pixels), name)
            for colour in COLOURS
            for (name, _), pixels in zip(keys, on_background(rgba, keys, colour), strict=True)
        ]
    for style in FURTHER_STYLES if npm else ():
        groups[f"{style}, never seen"] = list(read_style(npm, style)) if npm else []
    return groups


def read_style(npm: Path, style: str) -> Iterator[Emoji]:
    """Yield the everyday emoji of a package, on the grounds in turn."""
    for number, (name, source) in enumerate(sorted(read_sources(npm, style))):
        if name in EVERYDAY:
            pixels = torch.from_numpy(np.array(render(source))).permute(2, 0, 1)
            colour = tuple(COLOURS)[number % len(COLOURS)]
            key = (name, style)
            yield Emoji(to_picture(on_background({key: pixels}, [key], colour)[0]), name)


def grade_photographs(
    captioner: Blip, groups: Mapping[str, Sequence[Path]]
) -> Iterator[table.Row]:
    """Yield how many photographs of each group get more than trigger and ground."""
    for group, paths in groups.items():
        named = [path.name for path in paths if captioner.describe([read_photo(path)])[0].known]
        more = f" ({', '.join(named)})" if named else ""
        yield table.at_most(f"{group} ({len(paths)}): with a noun", len(named), 0, more=more)


def grade_emoji(captioner: Blip, groups: Mapping[str, Sequence[Emoji]]) -> Iterator[table.Row]:
    """Yield how many right words of each group get lost, in points; and what is said wrongly."""
    for group, emoji in groups.items():
        pairs = [pair for at in range(0, len(emoji), BATCH_SIZE)
                 for pair in describe_emoji(captioner, emoji[at : at + BATCH_SIZE])]  # fmt: skip
        right = sum(is_right for is_right, _ in pairs)
        lost = sum(is_right and not known for is_right, known in pairs)
        title = f"{group} ({len(pairs)})"
        yield table.figure(f"{title}: a right word before", 100 * right / len(pairs), "%")
        points = 100 * lost / len(pairs)
        yield table.at_most(f"{title}: of them lost", points, MAX_LOST_POINTS, "points")
        wrong = sum(not is_right for is_right, _ in pairs)
        hushed = sum(not is_right and not known for is_right, known in pairs)
        yield table.figure(f"{title}: wrong words left out", f"{hushed} of {wrong}")


def describe_emoji(captioner: Blip, emoji: Sequence[Emoji]) -> Iterator[tuple[bool, bool]]:
    """Yield whether a word of each name is right, and whether the caption is kept."""
    written = captioner.write([each.picture for each in emoji])
    for (picture, name), (text, score) in zip(emoji, written, strict=True):
        said = set(text.split(" emoji")[0].split())
        yield bool(said & (set(name.split("-")) - {"face"})), captioner.knows(picture, score)


def read_photo(path: Path) -> Image.Image:
    """Return a whole photograph as a caption job sees it."""
    with Image.open(path) as opened:
        return ImageOps.exif_transpose(opened).convert("RGB")


def main() -> int:
    """Print the table."""
    arguments = machine.parse_arguments(__doc__ or "", photos=Path, work=Path, npm=Path)
    captioner = load_captioner()
    rows = [*grade_photographs(captioner, find_photographs(arguments.photos))]
    return table.print_table(
        [*rows, *grade_emoji(captioner, read_emoji(arguments.work, arguments.npm))]
    )


if __name__ == "__main__":
    sys.exit(main())
