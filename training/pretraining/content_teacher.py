"""Stage `tutor`: a small convolutional network that knows things, to teach the captioner.

A transformer learns a thousand pictures by heart; convolutions see what is alike in them. The
tutor sees the same pictures as the captioner, so the examination is as new to it.
"""

# ruff: noqa: T201  # a stage prints what it measured

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from training.pretraining.backgrounds import halfwhite
from training.pretraining.distributed import Drawn, drill
from training.pretraining.export import filled
from training.pretraining.judge import Eye
from training.pretraining.names import EVERYDAY, HELD_OUT_SUBJECTS
from training.pretraining.split import examination, examined, varied

if TYPE_CHECKING:
    from pathlib import Path

KNOWN = (*EVERYDAY, *HELD_OUT_SUBJECTS)  #: names, in the order of its answers


class Lesson:
    """The tutor with its pictures and its loss."""

    name = "tutor"
    steps = 2400
    batch = 32
    rate = 2e-3
    matrix_rate = 0.0
    decay = 0.99

    def __init__(self, work: Path) -> None:
        pictures = torch.load(work / "pictures.pt", weights_only=True)
        pairs = list(zip(pictures["names"], pictures["styles"], strict=True))
        kept = [i for i, (n, s) in enumerate(pairs) if n in KNOWN and not examined(n, s)]
        self.rgba = pictures["rgba"][kept]
        self.names = [pairs[i][0] for i in kept]
        self.networks: Eye = Eye(len(KNOWN))

    def draw(self, generator: torch.Generator, step: int) -> Drawn:  # noqa: ARG002
        """Draw recoloured, mirrored, shifted, blurred, noisy pictures and their names."""
        chosen = torch.randint(len(self.rgba), (self.batch,), generator=generator)
        names = [self.names[i] for i in chosen.tolist()]
        grounds = halfwhite(self.batch, generator)
        pixels = varied(self.rgba[chosen], names, grounds, generator)
        return pixels, torch.tensor([KNOWN.index(name) for name in names])

    def loss(self, drawn: Drawn) -> torch.Tensor:
        """Tell the names."""
        pixels, right = drawn
        scores = self.networks.names(self.networks(pixels)).float()
        return functional.cross_entropy(scores, right, label_smoothing=0.1)


def trained(work: Path) -> Eye:
    """Load the tutor."""
    eye = Eye(len(KNOWN))
    filled(eye, work / "tutor.ckpt", "")
    return eye.eval().requires_grad_(False)


@torch.no_grad()
def run(work: Path) -> None:
    """Train the tutor; print how many things of the examination it names."""
    drill(Lesson, work)
    eye = trained(work)
    pixels, pairs = examination(work)
    found = [KNOWN[i] for i in eye.names(eye(pixels)).argmax(1).tolist()]
    right = sum(guess == name for guess, (name, _) in zip(found, pairs, strict=True))
    print(f"names {right} of {len(pairs)} that it never saw")
