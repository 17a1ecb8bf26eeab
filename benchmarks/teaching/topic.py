"""What can be taught and how it is graded: a look, a subject, the mascot."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from benchmarks import table
from benchmarks.teaching.runner import Pictures
from benchmarks.teaching.spec import Photos
from storage.records import Concept
from training.pretraining import judge

#: A figure of some pictures, and beside it the same figure of what has nothing to do with them.
Grades = dict[str, tuple[float, float]]
Draw = Callable[[Sequence[str]], Pictures]

MEDIAN_RANK = "median rank"
RANKED_FIRST = "of 12 pictures, those that rank first"
NEAREST = "cosine to the nearest picture taught"
MAX_SECONDS = 60.0  #: of a training of which something is asked


@dataclass(frozen=True, slots=True)
class Bar:
    """What is asked of a figure."""

    value: float
    row: Callable[..., table.Row] = table.at_most


class Topic(Protocol):
    """One thing to be taught."""

    title: str
    trigger: str
    concept: Concept
    photos: Photos  #: to teach it with
    prompts: list[str]  #: to draw, once it is taught
    real: Pictures  #: what they should look like
    base: Pictures  #: what the base draws without having been taught
    bars: Mapping[tuple[str, str], Bar]  #: by method and figure
    overrides: Mapping[str, Mapping[str, Any]]  #: by method, what is set by hand

    def grade(self, pictures: Pictures) -> Grades:
        """Grade pictures drawn from the prompts."""
        ...


def grade_ranks(ranks: Sequence[int], others: Sequence[int]) -> Grades:
    """Sum ranks up, beside those of a control."""
    return {
        MEDIAN_RANK: (statistics.median(ranks), statistics.median(others)),
        RANKED_FIRST: (ranks.count(1), others.count(1)),
    }


def grade_memorising(features: torch.Tensor, taught: torch.Tensor, unseen: torch.Tensor) -> Grades:
    """Tell learning by heart: how near pictures come to those taught, beside real unseen ones."""
    own, other = judge.nearest_cosines(features, taught), judge.nearest_cosines(unseen, taught)
    return {NEAREST: (statistics.median(own), statistics.median(other))}
