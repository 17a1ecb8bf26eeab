"""Binding: which words call what a style was taught, and what happens without them.

Each figure is a likeness to the photos, 0 for what the base draws for the same prompts.
"""

from __future__ import annotations

from dataclasses import dataclass

from training.lazy import Tensor

MIN_WAY = 1e-4  #: of a squared distance; pictures that are where they go to have no way


@dataclass(frozen=True, slots=True)
class Bindings:
    """Likeness to the photos, by the words in the prompt."""

    trigger: float  #: the trigger alone
    neither: float  #: neither trigger nor class word taught: the class word alone, or a thing
    base: float  #: the same prompt as `neither`, by the base without the style
    trigger_and_class: float | None = None  #: None where no class word is known

    @property
    def leak(self) -> float:
        """What the style adds where its trigger is not in the prompt."""
        return max(0.0, self.neither - self.base)


def measure_shift(base: Tensor, style: Tensor, photos: Tensor) -> float:
    """Return how far features (N, D) have moved from the base's to those of the photos (M, D).

    Both are of the same prompts and seeds. 0 is where the base draws, and 1 as far as the photos
    themselves are on average; more is an overshoot.
    """
    way = photos.mean(0) - base
    moved = ((style - base) * way).sum(1) / (way * way).sum(1).clamp(min=MIN_WAY)
    return max(0.0, float(moved.mean()))
