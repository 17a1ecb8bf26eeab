"""Stage `limits`: measure when the shipped captioner does not know a picture.

It knows emoji on plain grounds. Of anything else it says something, too, but with less confidence:
the mean log-likelihood of its captions' tokens tells what is far from the pictures it was trained
on (Hendrycks and Gimpel 2017, arXiv 1610.02136, of classifiers). The least score is the one
at which it still keeps nearly all right captions of the held-out pictures. Photographs are no part
of this: they are the test (`benchmarks/teaching/unknown.py`).
"""

# ruff: noqa: T201  # a stage prints what it measured

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import torch

from storage.folders import write_json
from training.captioners import blip
from training.captioners.blip import LIMITS_FILE, Blip, Limits
from training.device import Device
from training.embedded import find_folder
from training.pretraining.export import write_sums
from training.pretraining.score import grade_captions, on_background, to_picture
from training.pretraining.split import is_test_picture
from training.recipe.backgrounds import COLOURS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from training.pretraining.scenes import Pictures

MAX_LOST_SHARE = 0.01  #: of the held-out pictures: right captions that are given up
MAX_GROUND_DIFFERENCE = (
    0.5  #: levels of 255; rendered grounds have 0, photographed ones 1 and more
)
WORD = "a word of the name"


def run(work: Path) -> None:
    """Write the limits beside the shipped captioner, and its checksums anew."""
    stored = torch.load(work / "pictures.pt", weights_only=True)
    pairs = zip(stored["names"], stored["styles"], strict=True)
    pictures: Pictures = dict(zip(pairs, stored["rgba"], strict=True))
    found = list(caption_held_out(load_captioner(), pictures))
    limits = Limits(round(choose_min_score(found), 4), MAX_GROUND_DIFFERENCE)
    write_json(find_folder("blip") / LIMITS_FILE, asdict(limits))
    write_sums()
    kept = sum(right and score >= limits.min_score for score, right in found)
    print(f"{limits}; right before and after: {sum(r for _, r in found)}, {kept} of {len(found)}")


def load_captioner() -> Blip:
    """Return the shipped captioner, on a processor."""
    return blip.load(find_folder("blip"), Device.open(cpu=True))


def caption_held_out(captioner: Blip, pictures: Pictures) -> Iterator[tuple[float, bool]]:
    """Yield each caption's score and whether a word of the name is right, on all grounds."""
    keys = [key for key in pictures if is_test_picture(*key)]
    for colour in COLOURS:
        shown = on_background(pictures, keys, colour)
        for pixels in (shown, shown.flip(-1)):
            written = captioner.write([to_picture(each) for each in pixels])
            for key, (text, score) in zip(keys, written, strict=True):
                yield score, grade_captions([text], [key], colour)[WORD] == 1


def choose_min_score(found: Sequence[tuple[float, bool]]) -> float:
    """Return the highest score below which at most MAX_LOST_SHARE of all captions are right."""
    right = sorted(score for score, is_right in found if is_right)
    return right[min(int(MAX_LOST_SHARE * len(found)), len(right) - 1)]
