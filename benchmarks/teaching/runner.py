"""Train and sample as members do, with the embedded base, in this process."""

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
from training.styles import header, writer

JUDGE = Path(__file__).parents[1] / "judge"
STEPS, SIDE = 20, 64
FIRST_SEED = 1000  #: seed of the first picture; no training uses it

Pictures = list[Image.Image]


@dataclass(frozen=True, slots=True)
class TrainedStyle:
    """A finished style and what its training took."""

    style: LoadedStyle
    seconds: float  #: of the whole training
    steps: int
    speed: float  #: steps a second
    bytes: int  #: of the file
    small_copy: LoadedStyle | None = None  #: for a server whose limit of files is lower


class Runner:
    """Trains styles in a folder and samples with them."""

    def __init__(self, bases: BaseCache, place: Path) -> None:
        self.bases, self.place = bases, place
        self.count = 0

    def train(self, training_spec: spec.TrainingSpec) -> TrainedStyle:
        """Train with the dial's settings, to the file."""
        self.count += 1
        place = self.place / str(self.count)
        recipe = spec.make_recipe(self.bases, training_spec)
        folder, task = spec.start_training(place, self.bases, training_spec, recipe)
        (done,) = [each for each in task if isinstance(each, Done)]
        loaded = load_style(folder.result / done.file, training_spec)
        copy = done.small_copy
        small = load_style(folder.result / copy.file, training_spec) if copy else None
        seconds, speed = done.timings.seconds, done.timings.steps_per_second
        return TrainedStyle(loaded, seconds, done.steps, speed, done.bytes, small)

    def sample(self, prompts: Sequence[str], style: LoadedStyle | None = None) -> Pictures:
        """Sample prompts as `/sample` does, each with its own seed, the same for every style."""
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
        """Return pictures through the base's autoencoder, the ceiling of any style."""
        family: Any
        with self.bases.borrow(spec.BASE) as family:
            return [
                to_picture(each) for each in reconstruct(family.vae, judge.to_pixels(pictures))
            ]


def load_style(file: Path, training_spec: spec.TrainingSpec) -> LoadedStyle:
    """Return a file's style; which method it is of stands in the file."""
    method = methods.find(header.read_method_and_trigger(file)["method"])
    return LoadedStyle(method, writer.read_tensors(file), training_spec.trigger, 1.0)


def read_picture(path: Path) -> Image.Image:
    """Return a picture as RGB."""
    with Image.open(path) as opened:
        return opened.convert("RGB")


def load_judge() -> judge.Judge:
    """Load the judge, which was trained on real pictures once and then frozen."""
    torch.set_num_threads(2)
    return judge.load_judge(JUDGE)
