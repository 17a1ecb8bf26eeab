"""Do the measures rank what is known to be better? Sets of real pictures, with no training.

    python -m benchmarks.teaching.judgement [--quick]

Each case takes the pictures of a held-out subject in two of four styles for its photos; flat and
glossy stay together, since they are the same drawings. Good are the same subject's pictures in the
other styles; weak ones mix in another subject; memorised are the photos themselves, through the
base's autoencoder; collapsed is one good picture over and over, moved by a pixel and a little
lighter or darker. What the base draws is another subject.

Numbers of the score are chosen on the even cases alone.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from PIL import Image, ImageEnhance

from benchmarks import machine
from benchmarks.table import Row, at_least, at_most, figure, print_table
from benchmarks.teaching import runner, spec
from training.bases.cache import BaseCache
from training.device import Device
from training.judge.features import FeatureNet
from training.judge.style_judge import Drawn, Judgement, StyleJudge, Taught

OTHERS = {"panda": "octopus", "octopus": "guitar", "guitar": "panda"}
#: styles of the photos, then the others
SPLITS = (("noto", "blob", "flat", "glossy"), ("flat", "glossy", "noto", "blob"))
CASES, QUICK_CASES = 200, 30
DRAWN, WEAK_SHARE = 6, 3  #: pictures of a set; of a weak one, every third is right
MAX_MOVED, MAX_LIGHTER = 1, 0.05  #: pixels and share by which a collapsed set's picture changes
MIN_RIGHT_PERCENT, MIN_FOUND_PERCENT, MAX_FALSE_PERCENT = 95, 95, 5
ORDER = ("good", "weak", "memorised", "collapsed")

Pictures = list[Image.Image]


class KnownFeatures:
    """Looks at each picture once."""

    def __init__(self, network: FeatureNet) -> None:
        self.network = network
        self.found: dict[bytes, torch.Tensor] = {}

    def extract(self, pictures: Sequence[Image.Image]) -> torch.Tensor:
        """Return the features (N, 1280) of pictures."""
        rows = [torch.empty(0, 1280)]
        for picture in pictures:
            key = picture.tobytes()
            if key not in self.found:
                self.found[key] = self.network.extract([picture])
            rows.append(self.found[key])
        return torch.cat(rows)


class World:
    """The pictures of the held-out subjects, and what the autoencoder makes of them."""

    def __init__(self) -> None:
        device = Device.open(cpu=True, threads=1)
        trainer = runner.Runner(BaseCache(None, device), spec.PICTURES)
        self.extractor = KnownFeatures(FeatureNet.load(device))
        self.real: dict[tuple[str, str], Pictures] = {}
        self.copied: dict[tuple[str, str], Pictures] = {}
        for name in OTHERS:
            for style in SPLITS[0]:
                paths = [path for path, _ in spec.read_photos(name) if path.name.startswith(style)]
                self.real[name, style] = [runner.read_picture(path) for path in paths]
                self.copied[name, style] = trainer.reconstruct(self.real[name, style])

    def judge_case(self, seed: int) -> dict[str, Judgement]:
        """Return what each set of a case is worth."""
        chance = random.Random(seed)  # noqa: S311 - to be repeated
        name = chance.choice([*OTHERS])
        styles = [*chance.choice(SPLITS)]
        photos = self.real[name, styles[0]] + self.real[name, styles[1]]
        copies = self.copied[name, styles[0]] + self.copied[name, styles[1]]
        same, other = (
            self.real[each, styles[2]] + self.real[each, styles[3]]
            for each in (name, OTHERS[name])
        )
        good, strange = chance.sample(same, DRAWN), chance.sample(other, DRAWN)
        weak = [
            right if at % WEAK_SHARE == 0 else wrong
            for at, (right, wrong) in enumerate(zip(good, strange, strict=True))
        ]
        sets = {
            "good": good, "weak": weak, "memorised": chance.sample(copies, DRAWN),
            "collapsed": [shake(good[0], at) for at in range(DRAWN)],
        }  # fmt: skip
        judge = StyleJudge(self.extractor, Taught(photos), name_prompts(other))
        return {kind: judge.judge(name_prompts(drawn)) for kind, drawn in sets.items()}


def shake(picture: Image.Image, seed: int) -> Image.Image:
    """Return a picture moved by a pixel or not, and a little lighter or darker."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated
    moved = (chance.randint(-MAX_MOVED, MAX_MOVED), chance.randint(-MAX_MOVED, MAX_MOVED))
    ground = picture.getpixel((0, 0))
    shaken = picture.rotate(0, translate=moved, fillcolor=ground)
    return ImageEnhance.Brightness(shaken).enhance(1 + chance.uniform(-MAX_LIGHTER, MAX_LIGHTER))


def name_prompts(pictures: Pictures) -> list[Drawn]:
    """Return pictures as drawn for two prompts in turn."""
    return [Drawn(picture, str(at % 2), at // 2) for at, picture in enumerate(pictures)]


def measure_ranks(cases: int) -> Iterator[Row]:
    """Yield how often each kind scores above the next one, and which copies are found."""
    world = World()
    judged = [world.judge_case(seed) for seed in range(cases)]
    for kind in ORDER:
        mean = sum(case[kind].score.mean for case in judged) / cases
        yield figure(f"mean score, {kind}", f"{mean:.2f}")
    for name, some in (("even cases", judged[::2]), ("odd cases", judged[1::2])):
        for better, worse in pairwise(ORDER):
            right = sum(case[better].score.mean > case[worse].score.mean for case in some)
            percent = 100 * right / len(some)
            yield at_least(f"{better} above {worse}, {name}", percent, MIN_RIGHT_PERCENT, "%")
    for kind, row, bar in (
        ("memorised", at_least, MIN_FOUND_PERCENT),
        ("good", at_most, MAX_FALSE_PERCENT),
    ):
        share = sum(case[kind].grades.copies for case in judged) / cases
        yield row(f"called copies, {kind}", 100 * share, bar, "%")


def main() -> int:
    """Print the table; return 1 if a bar is missed."""
    arguments = machine.parse_arguments(__doc__ or "")
    return print_table(measure_ranks(QUICK_CASES if arguments.quick else CASES))


if __name__ == "__main__":
    sys.exit(main())
