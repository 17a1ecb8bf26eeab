"""Stage `content_teacher`: train a small convolutional network that names things.

The captioner learns from its features: a transformer memorizes a thousand pictures, where
convolutions find what they have in common. The teacher is trained on the captioner's pictures, so
the test pictures are new to it, too.
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
from training.pretraining.names import KNOWN_NAMES
from training.pretraining.split import augment, is_test_picture, load_test_pictures

if TYPE_CHECKING:
    from pathlib import Path


class ContentTeacherTask:
    """The content teacher with its training pictures and its loss."""

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
            i for i, (n, s) in enumerate(pairs) if n in KNOWN_NAMES and not is_test_picture(n, s)
        ]
        more = torch.load(work / "more.pt", weights_only=True)
        self.rgba = torch.cat([pictures["rgba"][kept], more["rgba"]])
        self.names = [pairs[i][0] for i in kept] + more["names"]
        self.networks: JudgeNetwork = JudgeNetwork(len(KNOWN_NAMES))

    def draw_batch(self, generator: torch.Generator, step: int) -> Batch:  # noqa: ARG002
        """Return recoloured, mirrored, distorted pictures and the indices of their names."""
        chosen = torch.randint(len(self.rgba), (self.batch_size,), generator=generator)
        names = [self.names[i] for i in chosen.tolist()]
        backgrounds = half_white_backgrounds(self.batch_size, generator)
        pixels = augment(self.rgba[chosen], names, backgrounds, generator)
        return pixels, torch.tensor([KNOWN_NAMES.index(name) for name in names])

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return the cross-entropy of the names."""
        pixels, right = batch
        scores = self.networks.score_names(self.networks(pixels)).float()
        return functional.cross_entropy(scores, right, label_smoothing=0.1)


def load_teacher(work: Path) -> JudgeNetwork:
    """Load the content teacher, frozen."""
    network = JudgeNetwork(len(KNOWN_NAMES))
    load_average(network, work / "content_teacher.ckpt", "")
    return network.eval().requires_grad_(False)


@torch.no_grad()
def run(work: Path) -> None:
    """Train the content teacher; print how many things in the test pictures it names."""
    train_distributed(ContentTeacherTask, work)
    network = load_teacher(work)
    pixels, pairs = load_test_pictures(work)
    guesses = [KNOWN_NAMES[i] for i in network.score_names(network(pixels)).argmax(1).tolist()]
    right = sum(guess == name for guess, (name, _) in zip(guesses, pairs, strict=True))
    print(f"names {right} of {len(pairs)} that it never saw")
