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

from benchmarks.table import Row, at_least, figure, format_number
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

    def measure_with_best(self, step: int) -> tuple[float, float]:
        """Return the true quality of a checkpoint, and of the truly best one.

        The best of noisy figures looks better than it is, so it is found by one half of the
        pictures and both are measured by the other, both ways.
        """
        pairs = [
            (self.quality(step, kept), self.quality(self.find_best(seen), kept))
            for seen, kept in (HALVES, HALVES[::-1])
        ]
        return fmean(own for own, _ in pairs), fmean(best for _, best in pairs)

    def find_best(self, part: slice = slice(None)) -> int:
        """Return the truly best checkpoint by some of its pictures."""
        return max(self.scores, key=lambda step: self.quality(step, part))

    def correlate(self) -> float:
        """Return the rank correlation (Spearman) of score and true quality."""
        steps = sorted(self.scores)
        columns = [self.scores[at].mean for at in steps], [self.quality(at) for at in steps]
        return float(spearman_corrcoef(*(torch.tensor(each) for each in columns)))


Pick = Callable[[Run], int]  #: a checkpoint of a run
Measure = Callable[[Sequence[Run]], float]


def summarize(runs: Sequence[Run], patience: int) -> Iterator[Row]:
    """Yield what choosing and stopping gain in some runs, each with the figures of its seeds.

    Percentages are of means over the runs: of a look that is hardly learned a small difference
    would be many percent.
    """

    def compare(first: Pick, second: Pick) -> Measure:
        return lambda some: compare_means(
            [(run.quality(first(run)), run.quality(second(run))) for run in some]
        )

    def stop(run: Run) -> int:
        return run.stop(patience)[1]

    gain, more = by_seed(runs, compare(Run.choose, lambda run: run.last))
    yield at_least("chosen over last checkpoint", gain, MIN_GAIN, "%", more)
    gain, more = find_worst(runs, lambda run: run.compare(run.choose(), run.last))
    yield at_least("the same, worst run", gain, -MAX_LOSS, "%", more)
    taken = sum(run.choose() != run.last for run in runs)
    yield figure("runs that chose another one than the last", f"{taken} of {len(runs)}")
    gain, more = by_seed(runs, compare_best(lambda run: run.last))
    yield figure("last over truly best", gain, "%", more)
    gain, more = by_seed(runs, compare_best(Run.choose))
    yield at_least("chosen over truly best", gain, -MAX_FROM_BEST, "%", more)
    gain, more = by_seed(runs, compare(Run.choose, Run.find_best))
    yield figure("the same, the best found and measured by all pictures", gain, "%", more)
    saved, more = by_seed(
        runs, lambda some: fmean(100 * (1 - run.stop(patience)[0] / run.last) for run in some)
    )
    yield at_least("steps that stopping early saves", saved, MIN_SAVED, "%", more)
    gain, more = by_seed(runs, compare(stop, Run.choose))
    yield at_least("chosen then, over the whole run's", gain, -MAX_LOSS, "%", more)
    gain, more = find_worst(runs, lambda run: run.compare(stop(run), run.choose()))
    yield figure("chosen then, worst run", gain, "%", more)
    rank, more = by_seed(runs, lambda some: fmean(run.correlate() for run in some))
    yield figure("rank correlation of score and truth", rank, "", more)
    error = fmean(run.compare(sorted(run.scores)[-2], run.last)[1] for run in runs)
    yield figure("standard error of one run's difference", error, "%")


def compare_best(pick: Pick) -> Measure:
    """Return what tells by how many percent checkpoints are better than the truly best."""
    return lambda some: compare_means([run.measure_with_best(pick(run)) for run in some])


def compare_means(pairs: Sequence[tuple[float, float]]) -> float:
    """Return by how many percent the mean of the first ones is above that of the second ones."""
    first, second = (fmean(each) for each in zip(*pairs, strict=True))
    return 100 * (first / second - 1)


def by_seed(runs: Sequence[Run], measure: Measure) -> tuple[float, str]:
    """Return a figure of all runs, and those of each seed."""
    seeds = sorted({run.seed for run in runs})
    found = [measure([run for run in runs if run.seed == seed]) for seed in seeds]
    return measure(runs), f" ({', '.join(format_number(each) for each in found)})"


def find_worst(
    runs: Sequence[Run], compare: Callable[[Run], tuple[float, float]]
) -> tuple[float, str]:
    """Return the least of the runs' figures; and which run has it, with its error."""
    (least, error), run = min(((compare(run), run) for run in runs), key=lambda each: each[0])
    return least, f" ({run.concept}, seed {run.seed}; error {error:.1f})"
