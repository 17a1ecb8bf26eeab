"""Stage `examiner`: train the judge on real pictures and keep their features as galleries."""

# ruff: noqa: T201  # a stage prints what it measured

from __future__ import annotations

from pathlib import Path

import torch
from torch.nn import functional

from training.pretraining.backgrounds import disturbed, halfwhite, lay, plain
from training.pretraining.distributed import Drawn, drill
from training.pretraining.export import filled, vocabulary
from training.pretraining.judge import Eye, Gallery, store
from training.pretraining.names import STYLES

FOLDER = Path("benchmarks/judge")


class Lesson:
    """The judge's network with its pictures and its loss."""

    name = "judge"
    steps = 2400
    batch = 32
    rate = 2e-3
    matrix_rate = 0.0
    decay = 0.99

    def __init__(self, work: Path) -> None:
        pictures = torch.load(work / "pictures.pt", weights_only=True)
        self.all = vocabulary(work)
        index = {name: i for i, name in enumerate(self.all)}
        self.rgba = pictures["rgba"]
        self.name_of = torch.tensor([index[name] for name in pictures["names"]])
        self.style_of = torch.tensor([STYLES.index(style) for style in pictures["styles"]])
        self.networks: Eye = Eye(len(self.all))

    def draw(self, generator: torch.Generator, step: int) -> Drawn:  # noqa: ARG002
        """Draw shifted, blurred, noisy pictures, their names and their styles."""
        chosen = torch.randint(len(self.rgba), (self.batch,), generator=generator)
        grounds = halfwhite(self.batch, generator)
        pixels = lay(self.rgba[chosen], grounds)
        return disturbed(pixels, generator), self.name_of[chosen], self.style_of[chosen]

    def loss(self, drawn: Drawn) -> torch.Tensor:
        """Tell the name and the style."""
        pixels, right_names, right_styles = drawn
        features = self.networks(pixels)
        names, styles = self.networks.names(features), self.networks.styles(features)
        name = functional.cross_entropy(names.float(), right_names)
        style = functional.cross_entropy(styles.float(), right_styles)
        return name + 2 * style


def run(work: Path) -> None:
    """Train the judge, then store it with its galleries."""
    drill(Lesson, work)
    lesson = Lesson(work)
    eye = lesson.networks.eval()
    filled(eye, work / "judge.ckpt", "")
    white = plain(torch.zeros(len(lesson.rgba), dtype=torch.long))
    with torch.no_grad():
        features = torch.cat([eye(part) for part in torch.split(lay(lesson.rgba, white), 64)])
        right = eye.styles(features).argmax(1) == lesson.style_of
        known = eye.names(features).argmax(1) == lesson.name_of
    galleries = {}
    for number, style in enumerate(STYLES):
        rows = (lesson.style_of == number).nonzero()[:, 0].tolist()
        names = [lesson.all[int(lesson.name_of[row])] for row in rows]
        galleries[style] = Gallery(names, features[rows])
        print(f"{style}: {len(rows)} in the gallery, style right {right[rows].float().mean():.3f}")
    print(f"names right {known.float().mean():.3f} (training pictures)")
    store(eye, lesson.all, galleries, FOLDER)
