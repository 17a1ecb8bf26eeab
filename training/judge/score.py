"""The score of a style: likeness x obedience x variety, minus copies, minus forgetting.

Pictures of the same prompts from other seeds score otherwise, so a score is a mean over at least
three seeds with its spread. Two scores whose spreads overlap are no different.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

MIN_SEEDS = 3
STANDARD_ERRORS = 2.0  #: of the mean over seeds, either way
FORGETTING_WEIGHT = 0.25  #: a style is for its trigger; what it does to the rest matters less


@dataclass(frozen=True, slots=True)
class Grades:
    """What pictures are worth, each from 0 to 1; None was not measured."""

    likeness: float
    variety: float
    obedience: float | None = None
    copies: float = 0.0  #: share of the pictures that repeat a photo
    forgetting: float | None = None

    @property
    def total(self) -> float:
        """All of them in one number, 0 to 1; what was not measured costs nothing."""
        obedience = 1.0 if self.obedience is None else self.obedience
        lost = self.copies + FORGETTING_WEIGHT * (self.forgetting or 0.0)
        return max(0.0, self.likeness * obedience * self.variety - lost)


@dataclass(frozen=True, slots=True)
class Score:
    """A mean over seeds, and how far it may be off."""

    mean: float
    spread: float  #: either way; 1 where fewer than two seeds say nothing of it
    seeds: int

    def differs_from(self, other: Score) -> bool:
        """Return whether two scores are more apart than their spreads reach."""
        return abs(self.mean - other.mean) > self.spread + other.spread


def average(grades: Sequence[Grades]) -> Grades:
    """Return the mean of each grade over seeds."""
    obedience = [each.obedience for each in grades if each.obedience is not None]
    forgetting = [each.forgetting for each in grades if each.forgetting is not None]
    return Grades(
        likeness=fmean(each.likeness for each in grades),
        variety=fmean(each.variety for each in grades),
        obedience=fmean(obedience) if obedience else None,
        copies=fmean(each.copies for each in grades),
        forgetting=fmean(forgetting) if forgetting else None,
    )


def score_seeds(grades: Sequence[Grades]) -> Score:
    """Return the score of grades, one for each seed."""
    return score_values([each.total for each in grades])


def score_values(values: Sequence[float]) -> Score:
    """Return the mean of values, one for each seed, with two standard errors."""
    count = len(values)
    spread = STANDARD_ERRORS * stdev(values) / count**0.5 if count > 1 else 1.0
    return Score(fmean(values), spread, count)
