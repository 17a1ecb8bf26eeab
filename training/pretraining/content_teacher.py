"""Stage `tutor`: a small convolutional network that knows things, to teach the captioner.

A transformer learns a thousand pictures by heart; convolutions see what is alike in them. The
tutor sees the same pictures as the captioner, so the examination is as new to it.
"""

# ruff: noqa: T201  # a stage prints what it measured

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from training.pretraining.backgrounds import half_white_backgrounds
from training.pretraining.distributed import Batch, train_distributed
from training.pretraining.export import load_average
from training.pretraining.judge import JudgeNetwork
from training.pretraining.names import EVERYDAY, HELD_OUT_SUBJECTS
from training.pretraining.split import augment, is_test_picture, load_test_pictures

if TYPE_CHECKING:
    from pathlib import Path

TAUGHT_NAMES = (*EVERYDAY, *HELD_OUT_SUBJECTS)  #: names, in the order of its answers


class ContentTeacherTask:
    """The tutor with its pictures and its loss."""

    name = "content_teacher"
    steps = 2400
    batch_size = 32
    learning_rate = 2e-3
    muon_learning_rate = 0.0
    ema_decay = 0.99

    def __init__(self, work: Path) -> None:
        pictures = torch.load(work / "pictures.pt", weights_only=True)
        pairs = list(zip(pictures["names"], pictures["styles"], strict=True))
        kept = [
            i for i, (n, s) in enumerate(pairs) if n in TAUGHT_NAMES and not is_test_picture(n, s)
        ]
        self.rgba = pictures["rgba"][kept]
        self.names = [pairs[i][0] for i in kept]
        self.networks: JudgeNetwork = JudgeNetwork(len(TAUGHT_NAMES))

    def draw_batch(self, generator: torch.Generator, step: int) -> Batch:  # noqa: ARG002
        """Draw recoloured, mirrored, shifted, blurred, noisy pictures and their names."""
        chosen = torch.randint(len(self.rgba), (self.batch_size,), generator=generator)
        names = [self.names[i] for i in chosen.tolist()]
        grounds = half_white_backgrounds(self.batch_size, generator)
        pixels = augment(self.rgba[chosen], names, grounds, generator)
        return pixels, torch.tensor([TAUGHT_NAMES.index(name) for name in names])

    def loss(self, drawn: Batch) -> torch.Tensor:
        """Tell the names."""
        pixels, right = drawn
        scores = self.networks.score_names(self.networks(pixels)).float()
        return functional.cross_entropy(scores, right, label_smoothing=0.1)


def load_teacher(work: Path) -> JudgeNetwork:
    """Load the tutor."""
    eye = JudgeNetwork(len(TAUGHT_NAMES))
    load_average(eye, work / "content_teacher.ckpt", "")
    return eye.eval().requires_grad_(False)


@torch.no_grad()
def run(work: Path) -> None:
    """Train the tutor; print how many things of the examination it names."""
    train_distributed(ContentTeacherTask, work)
    eye = load_teacher(work)
    pixels, pairs = load_test_pictures(work)
    found = [TAUGHT_NAMES[i] for i in eye.score_names(eye(pixels)).argmax(1).tolist()]
    right = sum(guess == name for guess, (name, _) in zip(found, pairs, strict=True))
    print(f"names {right} of {len(pairs)} that it never saw")
