"""Which check of photos predicts a worse style? Trainings on spoilt photos of held-out subjects.

    python -m benchmarks.teaching.checks --out FILE.jsonl [--concepts panda] [--seeds 3]

Each training is a line of FILE; those that are there already are not run again, so that the
whole (54 trainings, an hour) can be stopped and gone on with. A check whose harm is below the
spread of the clean sets' seeds should be no more than advice.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps
from torch.nn import functional

from benchmarks.photos.changes import crop, turn
from benchmarks.table import Row, figure, print_table
from benchmarks.teaching import runner, spec
from benchmarks.teaching.subject import Subject
from benchmarks.teaching.topic import MEDIAN_RANK, RANKED_FIRST
from storage.records import Dial
from training.bases.cache import BaseCache
from training.device import Device
from training.pretraining.judge import Judge

CONCEPTS = {"panda": "octopus", "octopus": "guitar", "guitar": "panda"}  #: with another subject
SEEDS = 3
TRAINED_SIDE = 64  #: pixels, of the base: blur counts in those
BLUR_SIGMA = 1.5
BAD_CROP = 0.55  #: of a side that is cut away
WRONG_SHARE = 3  #: one in so many photos shows something else
MARK, MARK_OPACITY = "SAMPLE", 90
LIKENESS = "cosine to the true picture"

Pictures = list[Image.Image]
Spoil = Callable[[Pictures, Pictures, random.Random], Pictures]


def blur(pictures: Pictures, _: Pictures, __: random.Random) -> Pictures:
    """Blur all photos as if the base's own pixels were."""
    return [
        each.filter(ImageFilter.GaussianBlur(BLUR_SIGMA * max(each.size) / TRAINED_SIDE))
        for each in pictures
    ]


def repeat(pictures: Pictures, _: Pictures, draw_number: random.Random) -> Pictures:
    """Take the same photo again and again: cropped a little, mirrored, turned."""
    copies = []
    for at in range(len(pictures)):
        cut = crop(*(draw_number.uniform(0, 0.05) for _ in range(4)))
        copy = turn(draw_number.uniform(-2, 2))(cut(pictures[0]))
        copies.append(ImageOps.mirror(copy) if at % 2 else copy)
    return copies


def cut_badly(pictures: Pictures, _: Pictures, draw_number: random.Random) -> Pictures:
    """Keep a corner of each photo, without most of the subject."""
    cuts = []
    for each in pictures:
        left, top = (BAD_CROP * draw_number.randrange(2) for _ in range(2))
        cuts.append(crop(left, top, BAD_CROP - left, BAD_CROP - top)(each))
    return cuts


def swap(pictures: Pictures, others: Pictures, _: random.Random) -> Pictures:
    """Put photos of another subject among them, under the same captions."""
    pairs = zip(pictures, others, strict=True)
    return [other if at % WRONG_SHARE == 0 else each for at, (each, other) in enumerate(pairs)]


def mark(pictures: Pictures, _: Pictures, __: random.Random) -> Pictures:
    """Write a watermark over each photo."""
    marked = []
    for each in pictures:
        layer = Image.new("RGBA", each.size)
        font = ImageFont.load_default(each.width // 5)
        middle = each.width // 2, each.height * 3 // 4
        ink = (255, 255, 255, MARK_OPACITY)
        ImageDraw.Draw(layer).text(middle, MARK, ink, font, anchor="mm", stroke_width=1)
        marked.append(Image.alpha_composite(each.convert("RGBA"), layer).convert("RGB"))
    return marked


def keep(pictures: Pictures, _: Pictures, __: random.Random) -> Pictures:
    """Leave the photos as they are."""
    return pictures


SETS: dict[str, Spoil] = {
    "clean": keep,
    "blurred": blur,
    "same shot": repeat,
    "badly cropped": cut_badly,
    "wrong subject": swap,
    "watermarked": mark,
}


def write_photos(folder: Path, name: str, other: str, spoil: Spoil) -> spec.Photos:
    """Write the spoilt photos of a subject into a folder; return them with their captions."""
    photos = spec.read_photos(name)
    pictures = [runner.read_picture(path) for path, _ in photos]
    others = [runner.read_picture(path) for path, _ in spec.read_photos(other)]
    folder.mkdir(parents=True)
    spoilt = []
    pairs = zip(spoil(pictures, others, random.Random(0)), photos, strict=True)
    for picture, (path, caption) in pairs:
        picture.save(folder / path.name)
        spoilt.append((folder / path.name, caption))
    return spoilt


def train_spoilt(
    style_runner: runner.Runner, judge: Judge, case: tuple[str, str, int], place: Path, dial: Dial
) -> dict[str, Any]:
    """Train on one spoilt set, and return the figures of its pictures."""
    name, spoilt, seed = case
    topic = Subject(judge, style_runner.sample, name, CONCEPTS[name])
    folder = place / f"{name} {spoilt} {seed}"
    photos = write_photos(folder, name, CONCEPTS[name], SETS[spoilt])
    wanted = spec.TrainingSpec("lora", topic.concept, topic.trigger, photos, seed, dial)
    trained = style_runner.train(wanted)
    pictures = style_runner.sample(topic.prompts, trained.style)
    grades = topic.grade(pictures)
    drawn, real = (judge.extract_features(each) for each in (pictures, topic.real))
    likeness = functional.cosine_similarity(drawn, real).mean().item()
    return {
        "concept": name, "set": spoilt, "seed": seed, "seconds": round(trained.seconds, 1),
        MEDIAN_RANK: grades[MEDIAN_RANK][0], RANKED_FIRST: grades[RANKED_FIRST][0],
        LIKENESS: round(likeness, 4),
    }  # fmt: skip


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the trainings that were run already."""
    return (
        [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        if path.exists()
        else []
    )


def summarize(done: Sequence[dict[str, Any]]) -> Iterator[Row]:
    """Yield what each set costs in likeness, beside the spread of the clean sets' seeds."""
    clean = {
        (each["concept"], each["seed"]): each[LIKENESS] for each in done if each["set"] == "clean"
    }
    by_concept = [
        [likeness for (concept, _), likeness in clean.items() if concept == name]
        for name in CONCEPTS
    ]
    spreads = [statistics.stdev(each) for each in by_concept if len(each) > 1]
    spread = statistics.mean(spreads) if spreads else None
    yield figure("spread of the seeds, clean", "unknown" if spread is None else f"{spread:.4f}")
    for name in SETS:
        some = [each for each in done if each["set"] == name]
        if not some:
            continue
        harms = [clean[at] - each[LIKENESS] for each in some
                 if (at := (each["concept"], each["seed"])) in clean]  # fmt: skip
        harm = statistics.mean(harms) if harms else 0.0
        kind = (
            "" if spread is None or name == "clean" else ", warn" if harm > spread else ", advice"
        )
        first = statistics.mean(each[RANKED_FIRST] for each in some)
        likeness = statistics.mean(each[LIKENESS] for each in some)
        said = (
            f"{likeness:.4f}, harm {harm:+.4f}, ranked first {first:.1f} of 12, {len(some)} runs"
        )
        yield figure(f"{name}: {LIKENESS}", said + kind)


def main() -> int:
    """Train what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--concepts", nargs="+", choices=CONCEPTS, default=[*CONCEPTS])
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--dial", type=Dial, choices=[*Dial], default=Dial.BALANCED)
    given = parser.parse_args()
    cases = [(name, spoilt, seed) for seed in range(given.seeds)
             for name in given.concepts for spoilt in SETS]  # fmt: skip
    done = {(each["concept"], each["set"], each["seed"]) for each in read_lines(given.out)}
    with TemporaryDirectory() as place:
        style_runner = runner.Runner(BaseCache(None, Device.open(cpu=True)), Path(place))
        judge = runner.load_judge()
        for case in cases:
            if case not in done:
                line = train_spoilt(style_runner, judge, case, Path(place) / "photos", given.dial)
                with given.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
    return print_table(summarize(read_lines(given.out)))


if __name__ == "__main__":
    sys.exit(main())
