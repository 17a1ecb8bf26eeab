"""Variety: how much pictures differ, beside how much they should."""

from __future__ import annotations

from training.lazy import Tensor, torch

MIN_SPREAD = 0.05  #: mean distance below which even a varied set looks all the same
SAME_SPREAD = 0.03  #: of one picture, moved by two pixels and a tenth lighter or darker


def measure_spread(features: Tensor) -> float:
    """Return the mean distance, 1 - cosine, of features (N, D) to each other; 0 for one."""
    count = len(features)
    if count < 2:
        return 0.0
    return float(1 - ((features @ features.T).sum() - count) / (count * (count - 1)))


def measure_variety(pictures: Tensor, wanted: float) -> Tensor:
    """Return how much each picture (N, D) differs from the others, beside a spread: 0 to 1.

    It is 0 for pictures that differ no more than one does from itself, a little moved.
    """
    count = len(pictures)
    if count < 2:
        return torch.ones(count)
    apart = 1 - ((pictures @ pictures.T).sum(1) - 1) / (count - 1)
    return ((apart - SAME_SPREAD) / (max(wanted, MIN_SPREAD) - SAME_SPREAD)).clamp(0, 1)
