"""What a comparison does next, who goes on, and which recipe to take."""

from __future__ import annotations

import pytest

from storage.planning.comparison import (
    Cost,
    Grading,
    Stage,
    Step,
    Verdict,
    decide_step,
    halve,
    plan_round,
    reach_verdict,
)


def grade(score: float, *beats: int) -> Grading:
    """Return the grading of an entry that is clearly better than some."""
    return Grading(score, 0.03, score, 1.0, 0.0, beats=beats)


@pytest.mark.parametrize(
    ("stages", "step", "numbers"),
    [
        ("waiting waiting", Step.TRAIN, (0,)),
        ("open waiting", Step.WAIT, ()),
        ("trained waiting", Step.TRAIN, (1,)),
        ("failed waiting", Step.TRAIN, (1,)),
        ("trained open", Step.WAIT, ()),
        ("trained failed", Step.JUDGE, (0,)),
        ("trained trained", Step.JUDGE, (0, 1)),
        ("failed failed", Step.FAIL, ()),
    ],
)
def test_next_step(stages: str, step: Step, numbers: tuple[int, ...]) -> None:
    """One trains after the other; what failed holds nobody up; nothing to judge is a failure."""
    told = {number: Stage(each) for number, each in enumerate(stages.split())}

    assert decide_step(told) == (step, numbers)


def test_halving() -> None:
    """The better half goes on, the smaller one of an odd number; equals by size, then by score."""
    clear = {0: grade(0.1), 1: grade(0.5, 0, 3), 2: grade(0.4, 0), 3: grade(0.2)}
    equal = {0: grade(0.4), 1: grade(0.4), 2: grade(0.4), 3: grade(0.5), 4: grade(0.4)}

    assert halve(clear, dict.fromkeys(clear, 9)) == (1, 2)
    assert halve(equal, {0: 9, 1: 9, 2: 4, 3: 9, 4: 9}) == (2, 3)
    assert halve(dict.fromkeys(range(3), grade(0.4)), dict.fromkeys(range(3), 9)) == (0,)
    assert halve({5: grade(0.4)}, {5: 1}) == (5,)


def test_verdict_by_score() -> None:
    """The best is taken where it is clearly better, whatever it costs."""
    grades = {0: grade(0.52, 1), 1: grade(0.41)}

    assert reach_verdict(grades, {0: Cost(90, 9), 1: Cost(30, 3)}) == Verdict(0, (1,), ())


@pytest.mark.parametrize(
    ("costs", "best", "why"),
    [
        ({0: Cost(90, 9), 1: Cost(30, 9)}, 1, "faster"),
        ({0: Cost(90, 9), 1: Cost(89, 3)}, 1, "smaller"),
        ({0: Cost(90, 9), 1: Cost(89, 9)}, 0, ""),
    ],
)
def test_verdict_of_equals(costs: dict[int, Cost], best: int, why: str) -> None:
    """Of those that cannot be told apart the faster or the smaller one is taken."""
    grades = {0: grade(0.52), 1: grade(0.5)}

    verdict = reach_verdict(grades, costs)

    assert (verdict.best, verdict.cheaper) == (best, why)
    assert (verdict.worse, verdict.equal) == ((), (1 - best,))


def test_verdict_of_three() -> None:
    """A cheaper one is taken only if it, too, is clearly better than what the best is."""
    grades = {0: grade(0.52, 2), 1: grade(0.48), 2: grade(0.4)}
    costs = {0: Cost(90, 9), 1: Cost(30, 3), 2: Cost(9, 1)}

    assert reach_verdict(grades, costs) == Verdict(0, (2,), (1,))
    grades[1] = grade(0.5, 2)
    assert reach_verdict(grades, costs) == Verdict(1, (2,), (0,), "faster")


def test_rounds() -> None:
    """A round trains a share of the steps, and goes on from the one before."""
    request = {"steps": 100, "file_bytes": 9, "seed": 1}

    assert plan_round(request, 1.0, None) == {**request, "stop_after": 0}
    assert plan_round(request, 0.25, None) == {**request, "stop_after": 25}
    assert plan_round(request, 0.5, 7) == {
        **request, "stop_after": 50, "continues": 7, "file_bytes": 0,
    }  # fmt: skip
