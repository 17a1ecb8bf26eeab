"""What a style has taught: pictures drawn with it, held against real ones by the frozen judge."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from benchmarks import lesson
from training import files, methods
from training.bases import Bases
from training.embedded import judge
from training.embedded.captions import full
from training.embedded.names import BASE_STYLES, HELD_OUT_STYLES
from training.embedded.score import restored, shown
from training.families import Picture
from training.sampling import Worn, draw

JUDGE = Path(__file__).with_name("judge")
STEPS, SIDE = 20, 64
SEED = 1000  #: of the first picture; no training uses it
TIMES = 3  #: pictures of a subject in each base style

Pictures = list[Image.Image]


@dataclass(frozen=True, slots=True)
class Trained:
    """A style as it came out, and what it took."""

    worn: Worn
    seconds: float
    steps: int


def teach(place: Path, bases: Bases, asked: lesson.Lesson) -> Trained:
    """Train as the dial says, to the file."""
    folder, task = lesson.begin(place, bases, asked, lesson.recipe(bases, asked))
    (done,) = [each.facts for each in task if each.kind == "done"]
    method = methods.walk()[asked.method]
    tensors = files.tensors(folder.result / done["file"])
    return Trained(Worn(method, tensors, asked.trigger, 1.0), done["seconds"], done["steps"])


def drawn(bases: Bases, prompts: Sequence[str], style: Worn | None) -> Pictures:
    """Draw prompts as `/sample` does, each from its own seed, the same for every style."""
    with bases.family(lesson.BASE) as family:
        return [
            draw(family, bases.device, Picture(prompt, "", SEED + at, STEPS, SIDE, SIDE), style)
            for at, prompt in enumerate(prompts)
        ]


def through(bases: Bases, pictures: Pictures) -> Pictures:
    """Send pictures through the base's autoencoder: no style can draw better than this."""
    family: Any
    with bases.family(lesson.BASE) as family:
        return [shown(each) for each in restored(family.vae, judge.pixels(pictures))]


class Subject:
    """A thing the base has never seen, under a word it has never read."""

    def __init__(self, critic: judge.Judge, name: str, other: str) -> None:
        self.critic, self.name, self.other = critic, name, other
        self.photos = lesson.photos(name)
        self.styles = [style for style in BASE_STYLES for _ in range(TIMES)]
        self.prompts = [full(name, style, "white") for style in self.styles]
        folder = lesson.PICTURES / name
        self.real = [read(folder / f"{style}-white.png") for style in self.styles]

    @property
    def among(self) -> int:
        """Give the size of the smallest crowd that the true picture is looked for in."""
        return min(len(self.critic.galleries[style].names) for style in BASE_STYLES)

    def rank(self, pictures: Pictures, name: str = "") -> float:
        """Give the median rank of the true picture among all of its style."""
        features = self.critic.features(pictures)
        return statistics.median(
            self.critic.rank(features[at : at + 1], name or self.name, style)[0]
            for at, style in enumerate(self.styles)
        )


class Look:
    """A style the base has never seen; other names teach it than those it is measured on."""

    def __init__(self, critic: judge.Judge, name: str) -> None:
        self.critic, self.name = critic, name
        (self.other,) = set(HELD_OUT_STYLES) - {name}
        self.photos = lesson.photos(f"{name}/teach")
        measured = lesson.photos(f"{name}/measure")
        self.prompts = [caption for _, caption in measured]
        self.names = [path.stem for path, _ in measured]
        self.real = [read(path) for path, _ in measured]

    def distance(self, pictures: Pictures, style: str = "") -> float:
        """Measure how far the pictures' mean look is from that of the real ones."""
        features = self.critic.features(pictures)
        names = self.names if not style else ()
        return self.critic.style_distance(features, style or self.name, names)


def read(path: Path) -> Image.Image:
    """Open a picture."""
    with Image.open(path) as opened:
        return opened.convert("RGB")


def critic() -> judge.Judge:
    """Load the judge, which was trained on real pictures first and then frozen."""
    torch.set_num_threads(2)
    return judge.load(JUDGE)
