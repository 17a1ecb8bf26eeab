"""Measure what the embedded base learns from real photographs, as a member gets it.

Photographs come from folders, `--photos DIR` with one folder for each subject, and from the
packages of the pretraining's stage `photos` (`training/pretraining/photos.py`): their tulips and
tomatoes are subjects, too, and all others are there to be confused with.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image, ImageOps

from benchmarks import machine, table
from benchmarks.teaching import runner
from benchmarks.teaching.evaluation import Evaluation
from benchmarks.teaching.runner import Pictures
from benchmarks.teaching.topic import Bar, Draw, Grades
from storage.records import Concept
from training.bases.cache import BaseCache
from training.device import Device
from training.judge.features import FeatureExtractor, FeatureNet
from training.pretraining import photos
from training.recipe.backgrounds import COLOURS, name_ground

NEAREST = "of 12 pictures, those nearest to a photo of their own"
LEAST_NEAREST, MAX_SECONDS = 8, 90.0
MAX_FILE_BYTES = 10 << 20  #: of a file in a server without boosts
ADVISED = "finetune"  #: by the advisor; it has the bars
SIDE = 64  #: pixels of the base's pictures
LARGE = 512  #: pixels that the photographs are compared at
#: subjects of several photographs among those of mvtb-data
PACKAGED = {"tulips": "flowers[145789].png", "tomatoes": "tomato_*.png"}


@dataclass(frozen=True, slots=True)
class PhotoGallery:
    """Photographs with their subjects; those of none are only there to be confused with."""

    paths: list[Path]
    subjects: list[str]

    def of(self, subject: str) -> list[Path]:
        """Return a subject's photographs."""
        pairs = zip(self.paths, self.subjects, strict=True)
        return [path for path, own in pairs if own == subject]


class Photographs:
    """The photographs of one subject; each picture is compared with all photographs at hand."""

    concept = Concept.SUBJECT
    overrides: Mapping[str, Mapping[str, Any]] = {}
    max_seconds = MAX_SECONDS
    max_file_bytes = MAX_FILE_BYTES

    def __init__(
        self, extractor: FeatureExtractor, gallery: PhotoGallery, subject: str, draw: Draw
    ) -> None:
        self.extractor, self.gallery, self.subject = extractor, gallery, subject
        self.title = f"photographs of {subject}, among {len(gallery.paths)}"
        self.trigger = f"my{subject}"
        bar = Bar(LEAST_NEAREST, table.at_least)
        self.bars: Mapping[tuple[str, str], Bar] = {(ADVISED, NEAREST): bar}
        self.photos = [(path, "") for path in gallery.of(subject)]
        self.prompts = [name_ground(f"a {self.trigger} emoji", colour) for colour in COLOURS]
        self.features = extractor.extract([read_square(path, LARGE) for path in gallery.paths])
        self.real = [read_square(path, SIDE) for path, _ in self.photos]
        self.base = draw(self.prompts)

    def grade(self, pictures: Pictures) -> Grades:
        """Return how many pictures are nearest to a photo of their own; control: another set."""
        nearest = (self.extractor.extract(pictures) @ self.features.T).argmax(1).tolist()
        found = [self.gallery.subjects[at] for at in nearest]
        others = sorted({*self.gallery.subjects} - {self.subject, ""})
        return {NEAREST: (found.count(self.subject), max(map(found.count, others), default=0))}


def find_gallery(folder: Path | None) -> PhotoGallery:
    """Return all photographs at hand: of the folders in a folder, and of packages."""
    pairs = [(path, "") for path in photos.list_files()]
    for subject, pattern in PACKAGED.items():
        pairs = [(path, subject if path.match(pattern) else own) for path, own in pairs]
    for place in sorted(folder.iterdir()) if folder else ():
        found = sorted(path for path in place.glob("*") if path.suffix in photos.SUFFIXES)
        pairs += [(path, place.name) for path in found]
    return PhotoGallery(*map(list, zip(*pairs, strict=True)))


def read_square(path: Path, side: int) -> Image.Image:
    """Return the middle square of a photograph with so many pixels a side."""
    with Image.open(path) as opened:
        turned = ImageOps.exif_transpose(opened).convert("RGB")
    return ImageOps.fit(turned, (side, side), Image.Resampling.BOX)


def main() -> int:
    """Print the table, a subject at a time; `--out` is a folder for contact sheets."""
    arguments = machine.parse_arguments(
        __doc__ or "", photos=Path, only=str, method=str, seeds=int, out=Path
    )
    gallery, device = find_gallery(arguments.photos), Device.open(cpu=True)
    extractor = FeatureNet.load(device)
    subjects = sorted({*gallery.subjects} - {""})
    with TemporaryDirectory() as place:
        bases = BaseCache(None, device)
        trainer = runner.Runner(bases, Path(place))
        judge = runner.load_judge()
        seeds = arguments.seeds or (1 if arguments.quick else 3)
        evaluation = Evaluation(trainer, judge, seeds, arguments.out, arguments.method)
        topics = (
            Photographs(extractor, gallery, subject, trainer.sample)
            for subject in (arguments.only.split(",") if arguments.only else subjects)
        )
        return table.print_table(
            row for topic in topics for row in evaluation.evaluate_topic(topic)
        )


if __name__ == "__main__":
    sys.exit(main())
