"""What the base still knows while a style is worn: 24 prompts, each in one base style in turn."""

from __future__ import annotations

import statistics
from itertools import cycle

from benchmarks.teaching.runner import Pictures
from training.pretraining.captions import full_caption
from training.pretraining.judge import Judge
from training.pretraining.names import BASE_STYLES
from training.pretraining.score import GRID_NAMES


class KnownPrompts:
    """The prompts, and how pictures of them are graded."""

    def __init__(self, critic: Judge) -> None:
        self.critic = critic
        self.keys = list(zip(GRID_NAMES, cycle(BASE_STYLES)))
        self.prompts = [full_caption(name, style, "white") for name, style in self.keys]

    def grade(self, pictures: Pictures) -> tuple[float, float]:
        """Give the median rank of the true pictures, and when the pictures are shuffled.

        They are shuffled within their styles. Of real pictures, the gallery itself, it is 1.
        """
        apart = len(BASE_STYLES)
        return self.median_rank(pictures), self.median_rank(pictures[apart:] + pictures[:apart])

    def median_rank(self, pictures: Pictures) -> float:
        """Give the median rank of the true picture among all of its style."""
        features = self.critic.extract_features(pictures)
        return statistics.median(
            self.critic.rank_within_style(features[at : at + 1], name, style)[0]
            for at, (name, style) in enumerate(self.keys)
        )
