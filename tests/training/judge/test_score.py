"""A score is a mean with a spread, and less than that is no difference."""

from __future__ import annotations

import pytest

from training.judge.score import Grades, Score, average, score_seeds


def test_copies_and_forgetting_cost():
    """A style that only repeats its photos is worth nothing."""
    good = Grades(likeness=0.9, variety=0.9, obedience=0.9)

    assert good.total == pytest.approx(0.729)
    assert Grades(0.9, 0.9, 0.9, forgetting=0.4).total == pytest.approx(0.629)
    assert Grades(1.0, 0.9, 0.9, copies=1.0).total == 0


def test_what_was_not_measured_costs_nothing():
    """Without a captioner or the base's pictures, the rest counts."""
    assert Grades(0.5, 1.0).total == 0.5
    assert average([Grades(0.5, 1.0), Grades(0.7, 1.0)]) == Grades(0.6, 1.0)


def test_scores_whose_spreads_overlap_are_no_different():
    """Two standard errors each way."""
    first = score_seeds([Grades(each, 1.0) for each in (0.5, 0.52, 0.54)])

    assert first.mean == pytest.approx(0.52)
    assert first.spread == pytest.approx(2 * 0.02 / 3**0.5)
    assert not first.differs_from(Score(0.55, 0.02, 3))
    assert first.differs_from(Score(0.6, 0.02, 3))


def test_one_seed_tells_no_difference():
    """Its spread is the whole range."""
    assert not score_seeds([Grades(1.0, 1.0)]).differs_from(Score(0.1, 0.01, 3))
