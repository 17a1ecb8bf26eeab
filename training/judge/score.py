"""The score of a style: likeness x obedience x variety, minus forgetting, minus copies.

- Worth is likeness x obedience x variety. Forgetting everything takes a quarter of it.
- The share of copies is subtracted from that: a style that copies half of the time has to be
  worth more than half.
- A twentieth of the worth always stays, so that a style which repeats all of its photos is still
  above one that draws a single picture or nothing of them.

Pictures of the same prompts from other seeds score otherwise, so a score is a mean over at least
three seeds with its spread. Two scores are compared seed by seed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

MIN_SEEDS = 3
STANDARD_ERRORS = 2.0  #: of the mean over seeds, either way
FORGETTING_WEIGHT = 0.25  #: a style is for its trigger; what it does to the rest matters less
LEAST_SHARE = 0.05  #: of its worth, which is left to a style that copies
#: Student's t of 95 % two ways, by the number of seeds from two on; more are taken for the last
QUANTILES = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)
MIN_DIFFERENCE = 0.01  #: less is not shown


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
        kept = 1 - FORGETTING_WEIGHT * (self.forgetting or 0.0)
        worth = self.likeness * obedience * self.variety * kept
        return max(worth - self.copies, LEAST_SHARE * worth)


@dataclass(frozen=True, slots=True)
class Score:
    """A mean over seeds, and how far it may be off."""

    mean: float
    spread: float  #: either way; 1 where fewer than two seeds say nothing of it
    seeds: int
    values: tuple[float, ...] = ()  #: of each seed; scores kept by an older version have none

    def differs_from(self, other: Score) -> bool:
        """Return whether one score is above the other, with 95 % confidence.

        Both are of the same prompts and seeds, in the same order: what one seed adds to either
        falls out of the differences (paired t-test). Without the values of each seed, the spreads
        of both must not overlap.
        """
        apart = abs(self.mean - other.mean)
        if len(self.values) != len(other.values) or len(self.values) < 2:
            return apart > self.spread + other.spread
        differences = [one - two for one, two in zip(self.values, other.values, strict=True)]
        quantile = QUANTILES[min(len(differences), len(QUANTILES) + 1) - 2]
        return apart > max(MIN_DIFFERENCE, quantile * measure_error(differences))


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
    spread = STANDARD_ERRORS * measure_error(values) if len(values) > 1 else 1.0
    return Score(fmean(values), spread, len(values), tuple(values))


def read_score(stored: Mapping[str, Any]) -> Score:
    """Return a score that was written as JSON, perhaps by an older version."""
    return Score(**{**stored, "values": tuple(stored.get("values", ()))})


def measure_error(values: Sequence[float]) -> float:
    """Return the standard error of the mean of two values or more."""
    return stdev(values) / math.sqrt(len(values))
