"""A score is a mean with a spread, and two are compared seed by seed."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from training.judge.score import Grades, Score, average, read_score, score_seeds, score_values


def test_copies_and_forgetting_cost():
    """Copies are subtracted, and forgetting takes a quarter at most."""
    good = Grades(likeness=0.9, variety=0.9, obedience=0.9)

    assert good.total == pytest.approx(0.729)
    assert Grades(0.9, 0.9, 0.9, forgetting=0.4).total == pytest.approx(0.6561)
    assert Grades(0.9, 0.9, 0.9, copies=0.3).total == pytest.approx(0.429)


def test_a_style_that_only_copies_is_worth_more_than_one_that_draws_one_picture():
    """It keeps a twentieth of its worth; the order among bad ones shows which way to go."""
    half, whole = Grades(1.0, 0.9, copies=0.9), Grades(1.0, 0.9, copies=1.0)

    assert Grades(0.1, 0.9).total > half.total == whole.total == pytest.approx(0.045)
    assert whole.total > Grades(0.2, 0.9, copies=1.0).total > Grades(1.0, 0.0).total == 0


def test_what_was_not_measured_costs_nothing():
    """Without a captioner or the base's pictures, the rest counts."""
    assert Grades(0.5, 1.0).total == 0.5
    assert average([Grades(0.5, 1.0), Grades(0.7, 1.0)]) == Grades(0.6, 1.0)


def test_scores_whose_spreads_overlap_are_no_different():
    """Two standard errors each way, where only means are known."""
    first = score_seeds([Grades(each, 1.0) for each in (0.5, 0.52, 0.54)])

    assert first.mean == pytest.approx(0.52)
    assert first.spread == pytest.approx(2 * 0.02 / 3**0.5)
    assert not first.differs_from(Score(0.55, 0.02, 3))
    assert first.differs_from(Score(0.6, 0.02, 3))


def test_what_a_seed_adds_to_both_scores_is_no_difference_between_them():
    """Seeds differ by .3, and the second score is above the first by .05 at each of them."""
    first, second, other = (
        score_values(values) for values in ((0.2, 0.5, 0.3), (0.25, 0.54, 0.36), (0.25, 0.6, 0.2))
    )

    assert second.spread > 0.1
    assert second.differs_from(first)
    assert first.differs_from(second)
    assert not other.differs_from(first)


def test_a_difference_that_is_not_shown_is_none():
    """However sure it is: scores have two digits."""
    assert not score_values([0.5, 0.5, 0.5]).differs_from(score_values([0.505, 0.505, 0.505]))


def test_a_score_is_read_again():
    """Those of an older version have no values of each seed."""
    score = score_values([0.2, 0.5, 0.3])

    assert read_score(json.loads(json.dumps(asdict(score)))) == score
    assert read_score({"mean": 0.5, "spread": 0.1, "seeds": 3}) == Score(0.5, 0.1, 3)


def test_one_seed_tells_no_difference():
    """Its spread is the whole range."""
    assert not score_seeds([Grades(1.0, 1.0)]).differs_from(Score(0.1, 0.01, 3))
