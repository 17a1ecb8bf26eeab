"""Forgetting: how far a style moves pictures that it was not asked for."""

from __future__ import annotations

from training.judge.variety import MIN_SPREAD, measure_spread
from training.lazy import Tensor


def measure_forgetting(base_pictures: Tensor, pictures: Tensor) -> Tensor:
    """Return how far features (N, D) are from those of the base's own pictures: 0 to 1.

    Both were drawn for the same prompts from the same seeds, without the trigger: 0 is the same
    picture, and 1 is as far as the base's pictures of these prompts are from each other.
    """
    apart = 1 - (base_pictures * pictures).sum(1)
    return (apart / max(measure_spread(base_pictures), MIN_SPREAD)).clamp(0, 1)
