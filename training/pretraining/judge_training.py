"""Stage `judge_training`: train the judge on real pictures; store their features as galleries."""

# ruff: noqa: T201  # a stage prints what it measured

from __future__ import annotations

from pathlib import Path

import torch
from torch.nn import functional

from training.pretraining.backgrounds import (
    distort,
    half_white_backgrounds,
    plain_backgrounds,
    put_on,
)
from training.pretraining.distributed import Batch, train_distributed
from training.pretraining.export import list_names, load_average
from training.pretraining.judge import Gallery, JudgeNetwork, save_judge
from training.pretraining.names import STYLES

FOLDER = Path("benchmarks/judge")


class JudgeTask:
    """The judge's network with its training pictures and its loss."""

    name = "judge"
    steps = 2400
    batch_size = 32
    learning_rate = 2e-3
    muon_learning_rate = 0.0
    ema_decay = 0.99

    def __init__(self, work: Path) -> None:
        pictures = torch.load(work / "pictures.pt", weights_only=True)
        self.all_names = list_names(work)
        index = {name: i for i, name in enumerate(self.all_names)}
        self.rgba = pictures["rgba"]
        self.name_of = torch.tensor([index[name] for name in pictures["names"]])
        self.style_of = torch.tensor([STYLES.index(style) for style in pictures["styles"]])
        self.networks: JudgeNetwork = JudgeNetwork(len(self.all_names))

    def draw_batch(self, generator: torch.Generator, step: int) -> Batch:  # noqa: ARG002
        """Return distorted pictures, and the indices of their names and of their styles."""
        chosen = torch.randint(len(self.rgba), (self.batch_size,), generator=generator)
        backgrounds = half_white_backgrounds(self.batch_size, generator)
        pixels = put_on(self.rgba[chosen], backgrounds)
        return distort(pixels, generator), self.name_of[chosen], self.style_of[chosen]

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return the cross-entropy of the names plus twice that of the styles."""
        pixels, right_names, right_styles = batch
        features = self.networks(pixels)
        names, styles = self.networks.score_names(features), self.networks.score_styles(features)
        name = functional.cross_entropy(names.float(), right_names)
        style = functional.cross_entropy(styles.float(), right_styles)
        return name + 2 * style


def run(work: Path) -> None:
    """Train the judge, then store it with its galleries."""
    train_distributed(JudgeTask, work)
    task = JudgeTask(work)
    network = task.networks.eval()
    load_average(network, work / "judge.ckpt", "")
    white = plain_backgrounds(torch.zeros(len(task.rgba), dtype=torch.long))
    with torch.no_grad():
        features = torch.cat([network(part) for part in torch.split(put_on(task.rgba, white), 64)])
        right = network.score_styles(features).argmax(1) == task.style_of
        right_names = network.score_names(features).argmax(1) == task.name_of
    galleries = {}
    for number, style in enumerate(STYLES):
        rows = (task.style_of == number).nonzero()[:, 0].tolist()
        names = [task.all_names[int(task.name_of[row])] for row in rows]
        galleries[style] = Gallery(names, features[rows])
        print(f"{style}: {len(rows)} in the gallery, style right {right[rows].float().mean():.3f}")
    print(f"names right {right_names.float().mean():.3f} (training pictures)")
    save_judge(network, task.all_names, galleries, FOLDER)
