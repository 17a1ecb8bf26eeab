"""What choosing and stopping would have done in trainings whose checkpoints are all known.

A training that never stops has every checkpoint's score and true quality, so that any rule can be
replayed on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

import torch
from torchmetrics.functional import spearman_corrcoef

from benchmarks.table import Row, at_least, at_most, figure, format_number
from training.judge.score import Score
from training.run.choosing import choose, has_peaked

MIN_GAIN, MAX_LOSS, MAX_FROM_BEST, MIN_SAVED = 10.0, 2.0, 3.0, 25.0  #: percent
HALVES = slice(0, None, 2), slice(1, None, 2)  #: of the pictures


@dataclass(frozen=True, slots=True)
class Run:
    """One training: at each checkpoint its score, and the true quality of further pictures."""

    concept: str
    seed: int
    scores: Mapping[int, Score]
    values: Mapping[int, Sequence[float]]  #: by the step, of the same prompts and seeds

    def quality(self, step: int, part: slice = slice(None)) -> float:
        """Return the true quality of a checkpoint, from some of its pictures."""
        return fmean(self.values[step][part])

    @property
    def last(self) -> int:
        """The step of the last checkpoint."""
        return max(self.scores)

    def choose(self) -> int:
        """Return the step of the checkpoint that the whole run takes."""
        return choose(self.scores, self.last, stopped=False).step

    def stop(self, patience: int) -> tuple[int, int]:
        """Return at which step the run would have stopped, and the one it would have taken."""
        known: dict[int, Score] = {}
        for step in sorted(self.scores):
            known[step] = self.scores[step]
            if has_peaked(known, patience) or step == self.last:
                break
        return step, choose(known, step, stopped=step < self.last).step

    def compare(self, step: int, other: int) -> tuple[float, float]:
        """Return by how many percent one checkpoint is better than another, and the error.

        The error is one standard error of the difference, picture by picture.
        """
        pairs = zip(self.values[step], self.values[other], strict=True)
        differences = [ours - theirs for ours, theirs in pairs]
        per_cent = 100 / self.quality(other)
        error = stdev(differences) / len(differences) ** 0.5
        return fmean(differences) * per_cent, error * per_cent

    def gain_of_best(self) -> float:
        """Return by how many percent the truly best checkpoint is better than the last."""
        short = self.fall_short_of_best(self.last)
        return 100 * short / (100 - short)

    def fall_short_of_best(self, step: int) -> float:
        """Return by how many percent a checkpoint is worse than the truly best.

        The best of noisy figures looks better than it is, so it is found by one half of the
        pictures and measured by the other, both ways.
        """
        found = []
        for seen, kept in HALVES, HALVES[::-1]:
            best = max(self.scores, key=lambda each: self.quality(each, seen))
            reached = self.quality(best, kept)
            found.append(100 * (reached - self.quality(step, kept)) / reached)
        return fmean(found)

    def correlate(self) -> float:
        """Return the rank correlation (Spearman) of score and true quality."""
        steps = sorted(self.scores)
        columns = [self.scores[at].mean for at in steps], [self.quality(at) for at in steps]
        return float(spearman_corrcoef(*(torch.tensor(each) for each in columns)))


def summarize(runs: Sequence[Run], patience: int) -> Iterator[Row]:
    """Yield what choosing and stopping gain in some runs."""
    chosen = Figures(runs, lambda run: run.compare(run.choose(), run.last))
    yield at_least("chosen over last checkpoint", chosen.mean, MIN_GAIN, "%", chosen.spread)
    yield at_least("the same, worst run", chosen.worst, -MAX_LOSS, "%", chosen.worst_named)
    taken = sum(run.choose() != run.last for run in runs)
    yield figure("runs that chose another one than the last", f"{taken} of {len(runs)}")
    possible = Figures(runs, lambda run: (run.gain_of_best(), 0.0))
    yield figure("truly best over last", possible.mean, "%", possible.spread)
    short = Figures(runs, lambda run: (run.fall_short_of_best(run.choose()), 0.0))
    yield at_most("chosen below truly best", short.mean, MAX_FROM_BEST, "%", short.spread)
    saved = Figures(runs, lambda run: (100 * (1 - run.stop(patience)[0] / run.last), 0.0))
    yield at_least("steps that stopping early saves", saved.mean, MIN_SAVED, "%", saved.spread)
    ended = Figures(runs, lambda run: run.compare(run.stop(patience)[1], run.choose()))
    yield at_least("chosen then, over the whole run's", ended.mean, -MAX_LOSS, "%", ended.spread)
    yield figure("chosen then, worst run", ended.worst, "%", ended.worst_named)
    related = Figures(runs, lambda run: (run.correlate(), 0.0))
    yield figure("rank correlation of score and truth", related.mean, "", related.spread)
    errors = Figures(runs, lambda run: run.compare(sorted(run.scores)[-2], run.last))
    yield figure("standard error of such a difference, one run", errors.error, "%")


class Figures:
    """One figure of each run, with its error."""

    def __init__(self, runs: Sequence[Run], measure: Callable[[Run], tuple[float, float]]) -> None:
        self.found = {(run.concept, run.seed): measure(run) for run in runs}

    @property
    def mean(self) -> float:
        """The mean of the runs."""
        return fmean(value for value, _ in self.found.values())

    @property
    def error(self) -> float:
        """The mean of the runs' own errors."""
        return fmean(error for _, error in self.found.values())

    @property
    def spread(self) -> str:
        """The means of each seed."""
        seeds = sorted({seed for _, seed in self.found})
        means = [fmean(v for (_, s), (v, _) in self.found.items() if s == seed) for seed in seeds]
        return f" ({', '.join(format_number(each) for each in means)})"

    @property
    def worst(self) -> float:
        """The least of the runs."""
        return min(value for value, _ in self.found.values())

    @property
    def worst_named(self) -> str:
        """Which run has the least, and its error."""
        (concept, seed), (_, error) = min(self.found.items(), key=lambda each: each[1][0])
        return f" ({concept}, seed {seed}; error {error:.1f})"
