"""Measure what the base still knows with a style: 24 prompts, each in one base style in turn."""

from __future__ import annotations

import statistics
from itertools import cycle

from benchmarks.teaching.runner import Pictures
from training.pretraining.captions import full_caption
from training.pretraining.judge import Judge
from training.pretraining.names import BASE_STYLES
from training.pretraining.score import GRID_NAMES


class KnownPrompts:
    """Prompts that the base knows, and how their pictures are graded."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.keys = list(zip(GRID_NAMES, cycle(BASE_STYLES)))
        self.prompts = [full_caption(name, style, "white") for name, style in self.keys]

    def grade(self, pictures: Pictures) -> tuple[float, float]:
        """Return the median rank of the true pictures, and of pictures shuffled within styles.

        For the gallery's own pictures the rank is 1.
        """
        shift = len(BASE_STYLES)
        return self.median_rank(pictures), self.median_rank(pictures[shift:] + pictures[:shift])

    def median_rank(self, pictures: Pictures) -> float:
        """Return the median rank of the true picture among all of its style."""
        features = self.judge.extract_features(pictures)
        return statistics.median(
            self.judge.rank_within_style(features[at : at + 1], name, style)[0]
            for at, (name, style) in enumerate(self.keys)
        )
