"""Measure how much of a photo's subject a square crop keeps, beside a crop of the middle.

    python -m benchmarks.photos.crops --packages FOLDER

FOLDER has the packages of `sources.py`, unpacked. The boxes around subjects were drawn by hand.
How cues are weighed was chosen on these photos and on those of the DreamBooth benchmark.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from benchmarks.photos.sources import read_photo
from benchmarks.table import Row, figure, print_table
from storage.crops import MIDDLE, Box, Framing, crop_at
from storage.photos.framing import find_framing

SQUARE = 64  #: pixels of a base that is trained on squares
PREVIEW_SIDE = 512  #: pixels of what the darkroom looks at
MIN_ASPECT = 1.15  #: of a photo of which a part was cut off
MARGIN = 0.02  #: of a photo, beside a subject at its edge
WELL_KEPT = 0.95  #: of what a square can keep of a subject
#: the subject, in shares of width and height: left, top, right, bottom
SUBJECTS = {
    "Picture_0B_by_freespace.jpg": Box(0.2, 0.1, 0.97, 0.95),
    "Wine_by_Jakkub_Mede.jpg": Box(0.1, 0.4, 0.85, 0.98),
    "free_by_Peter_Nerlich.jpg": Box(0.27, 0.6, 0.72, 0.85),
    "friends_by_Aitzol_Berasategi.jpg": Box(0.3, 0.2, 0.7, 0.72),
    "seeding_by_Clements_Engelhardt.jpg": Box(0.22, 0.12, 0.47, 0.6),
    "Kleiber_by_Lukas_Baubkus.jpg": Box(0.38, 0.3, 0.55, 0.7),
    "Aqua.jpg": Box(0.53, 0.38, 0.86, 0.85),
    "Garden.jpg": Box(0.36, 0.15, 1.0, 0.95),
    "LadyBird.jpg": Box(0.63, 0.42, 0.76, 0.6),
    "TwoWings.jpg": Box(0.32, 0.3, 0.9, 0.98),
    "YellowFlower.jpg": Box(0.2, 0.1, 1.0, 1.0),
    "butterfly.jpg": Box(0.02, 0.2, 0.98, 0.87),
    "eiffel-2.png": Box(0.43, 0.26, 0.58, 0.95),
    "notre-dame.png": Box(0.03, 0.02, 0.95, 0.98),
    "roof.png": Box(0.58, 0.05, 0.82, 0.7),
    "tomato_54.png": Box(0.27, 0.45, 0.45, 0.7),
    "58060.png": Box(0.15, 0.2, 0.78, 0.7),
    "motorcycle_left.png": Box(0.15, 0.2, 0.93, 0.95),
    "china.jpg": Box(0.1, 0.05, 0.62, 0.92),
    "flower.jpg": Box(0.25, 0.18, 0.7, 0.85),
}


def list_cases(packages: Path) -> Iterator[tuple[Image.Image, Box]]:
    """Yield photos with their subject, also with the subject at the left and at the right edge."""
    for name, subject in SUBJECTS.items():
        picture = read_photo(next(iter(packages.rglob(name))), PREVIEW_SIDE)
        yield picture, subject
        left, right = max(0.0, subject.left - MARGIN), min(1.0, subject.right + MARGIN)
        for first, last in ((left, 1.0), (0.0, right)):
            width = picture.width * (last - first)
            if width > MIN_ASPECT * picture.height and last - first < 1:
                across = [(x - first) / (last - first) for x in (subject.left, subject.right)]
                cut = (
                    round(first * picture.width),
                    0,
                    round(last * picture.width),
                    picture.height,
                )
                yield picture.crop(cut), Box(across[0], subject.top, across[1], subject.bottom)


def measure_kept(picture: Image.Image, subject: Box, framing: Framing) -> float:
    """Return the share of a subject that a square crop keeps, of what it could keep."""
    kept = crop_at(picture.size, SQUARE, framing)
    share = 1.0
    for first, last, start, end in (
        (kept.left, kept.right, subject.left, subject.right),
        (kept.top, kept.bottom, subject.top, subject.bottom),
    ):
        seen = max(0.0, min(last, end) - max(first, start))
        share *= seen / min(last - first, end - start)
    return share


def measure_crops(packages: Path) -> Iterator[Row]:
    """Yield how well subjects are kept: in the middle, and by what stands out."""
    cases = list(list_cases(packages))
    start = time.process_time()
    framings = [find_framing(picture, None) for picture, _ in cases]
    seconds = time.process_time() - start
    for name, chosen in (("the middle", [MIDDLE] * len(cases)), ("what stands out", framings)):
        kept = [measure_kept(*case, each) for case, each in zip(cases, chosen, strict=True)]
        well = sum(share >= WELL_KEPT for share in kept)
        yield figure(f"subjects kept by {name}", f"{well} of {len(kept)}")
        yield figure(f"share of a subject kept by {name}", sum(kept) / len(kept))
        yield figure(f"least of a subject kept by {name}", min(kept))
    yield figure("finding what stands out", 1000 * seconds / len(cases), "ms of a core")


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--packages", type=Path, required=True)
    return print_table(measure_crops(parser.parse_args().packages))


if __name__ == "__main__":
    sys.exit(main())
