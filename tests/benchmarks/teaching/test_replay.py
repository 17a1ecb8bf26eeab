"""Rules of choosing and stopping are replayed on trainings whose checkpoints are all known."""

from __future__ import annotations

import pytest

from benchmarks.teaching.replay import Run, summarize
from training.judge.score import Score


def make_run(scores, qualities, seed=0, spread=0.01):
    """Return a run with checkpoints every 10 steps, each with four pictures of its quality."""
    steps = range(10, 10 * len(scores) + 1, 10)
    return Run(
        "panda",
        seed,
        {step: Score(mean, spread, 3) for step, mean in zip(steps, scores, strict=True)},
        {step: [quality] * 4 for step, quality in zip(steps, qualities, strict=True)},
    )


@pytest.fixture
def peaked():
    """Return a run that is best at its second checkpoint of five, by score and in truth."""
    return make_run([0.2, 0.8, 0.6, 0.5, 0.4], [0.4, 0.9, 0.7, 0.6, 0.5])


def test_the_chosen_is_compared_with_the_last(peaked):
    """A checkpoint of .9 is 80 % better than the last of .5, and equals the best there was."""
    assert (peaked.choose(), peaked.last) == (20, 50)
    assert peaked.compare(peaked.choose(), peaked.last) == (pytest.approx(80), 0)
    assert peaked.measure_with_best(50) == (pytest.approx(0.5), pytest.approx(0.9))
    assert peaked.find_best() == 20


def test_stopping_waits_for_its_patience(peaked):
    """The run ends where so many checkpoints came after the best, and takes that one."""
    assert [peaked.stop(patience) for patience in (1, 2, 4)] == [(30, 20), (40, 20), (50, 20)]


def test_the_best_is_measured_by_pictures_that_did_not_choose_it():
    """Where all checkpoints are equal but for noise, the best is no better than the last."""
    noisy = Run(
        "panda", 0, {at: Score(0.5, 0.1, 3) for at in (1, 2)}, {1: [0.9, 0.5], 2: [0.5, 0.9]}
    )

    last, best = noisy.measure_with_best(2)

    assert (last, best) == (pytest.approx(0.7), pytest.approx(0.5))


def test_summary_tells_what_is_missed(peaked):
    """A gain on one run and a loss on another is met on the mean and missed by the worst."""
    worse = make_run([0.2, 0.8, 0.6, 0.5, 0.4], [0.4, 0.5, 0.5, 0.5, 0.6], seed=1)

    rows = {row.what: row for row in summarize([peaked, worse], 2)}

    gain, worst = rows["chosen over last checkpoint"], rows["the same, worst run"]
    assert (gain.met, gain.figure.split()[0]) == (True, "27.3")
    assert (worst.met, worst.figure.split()[0]) == (False, "-16.667")
    saved = rows["steps that stopping early saves"]
    assert (saved.met, saved.figure.split()[0]) == (False, "20.0")
