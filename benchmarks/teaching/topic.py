"""A topic to train and how it is graded: a look, a subject, the mascot."""

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

#: The figures of some pictures, each with that of a control.
Grades = dict[str, tuple[float, float]]
Draw = Callable[[Sequence[str]], Pictures]

MEDIAN_RANK = "median rank"
RANKED_FIRST = "of 12 pictures, those that rank first"
NEAREST = "cosine to the nearest picture taught"
MAX_SECONDS = 60.0  #: of a training that has a bar, of most topics


@dataclass(frozen=True, slots=True)
class Bar:
    """The limit of a figure."""

    value: float
    row: Callable[..., table.Row] = table.at_most


class Topic(Protocol):
    """One thing to train."""

    title: str
    trigger: str
    concept: Concept
    photos: Photos  #: to train on
    prompts: list[str]  #: to sample after training
    max_seconds: float  #: of a training that has a bar
    real: Pictures  #: the true pictures of the prompts
    base: Pictures  #: the base's pictures of the prompts
    bars: Mapping[tuple[str, str], Bar]  #: by method and figure
    overrides: Mapping[str, Mapping[str, Any]]  #: settings by method
    max_file_bytes: int  #: above which a smaller copy is made and graded, too; 0 is never

    def grade(self, pictures: Pictures) -> Grades:
        """Return the grades of pictures sampled from the prompts."""
        ...


def grade_ranks(ranks: Sequence[int], others: Sequence[int]) -> Grades:
    """Return the median rank and the number of first ranks, with those of a control."""
    return {
        MEDIAN_RANK: (statistics.median(ranks), statistics.median(others)),
        RANKED_FIRST: (ranks.count(1), others.count(1)),
    }


def grade_memorising(
    features: torch.Tensor, training_features: torch.Tensor, unseen: torch.Tensor
) -> Grades:
    """Return how near pictures come to the training pictures, with real unseen ones as control."""
    own, other = (
        judge.nearest_cosines(features, training_features),
        judge.nearest_cosines(unseen, training_features),
    )
    return {NEAREST: (statistics.median(own), statistics.median(other))}
