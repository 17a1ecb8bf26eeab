"""Teaching and drawing as members get them, with the embedded base, in this process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from benchmarks.teaching import spec
from storage.events import Done
from training import methods
from training.bases.cache import BaseCache
from training.families import Picture
from training.pretraining import judge
from training.pretraining.score import reconstruct, to_picture
from training.sample import LoadedStyle, draw_pictures
from training.styles import writer

JUDGE = Path(__file__).parents[1] / "judge"
STEPS, SIDE = 20, 64
FIRST_SEED = 1000  #: of the first picture; no training uses it

Pictures = list[Image.Image]


@dataclass(frozen=True, slots=True)
class TrainedStyle:
    """A style as it came out, and what it took."""

    style: LoadedStyle
    seconds: float  #: of the whole training
    steps: int
    speed: float  #: steps a second
    bytes: int  #: of the file


class Runner:
    """A place to teach, and an easel for what was taught."""

    def __init__(self, bases: BaseCache, place: Path) -> None:
        self.bases, self.place = bases, place
        self.count = 0

    def train(self, asked: spec.TrainingSpec) -> TrainedStyle:
        """Train as the dial says, to the file."""
        self.count += 1
        place = self.place / str(self.count)
        frozen = spec.make_recipe(self.bases, asked)
        folder, task = spec.start_training(place, self.bases, asked, frozen)
        (done,) = [each for each in task if isinstance(each, Done)]
        tensors = writer.read_tensors(folder.result / done.file)
        worn = LoadedStyle(methods.walk()[asked.method], tensors, asked.trigger, 1.0)
        seconds, speed = done.timings.seconds, done.timings.steps_per_second
        return TrainedStyle(worn, seconds, done.steps, speed, done.bytes)

    def sample(self, prompts: Sequence[str], style: LoadedStyle | None = None) -> Pictures:
        """Draw prompts as `/sample` does, each from its own seed, the same for every style."""
        device = self.bases.device
        with self.bases.borrow(spec.BASE) as family:
            return [
                draw_pictures(
                    family,
                    device,
                    [Picture(prompt, "", FIRST_SEED + at, STEPS, SIDE, SIDE)],
                    style,
                )[0]
                for at, prompt in enumerate(prompts)
            ]

    def reconstruct(self, pictures: Pictures) -> Pictures:
        """Send pictures through the base's autoencoder: no style can draw better than this."""
        family: Any
        with self.bases.borrow(spec.BASE) as family:
            return [
                to_picture(each) for each in reconstruct(family.vae, judge.to_pixels(pictures))
            ]


def read_picture(path: Path) -> Image.Image:
    """Open a picture."""
    with Image.open(path) as opened:
        return opened.convert("RGB")


def load_critic() -> judge.Judge:
    """Load the judge, which was trained on real pictures first and then frozen."""
    torch.set_num_threads(2)
    return judge.load_judge(JUDGE)
