"""What a study can show, whom it counts and how far voters agree, against known values."""

from __future__ import annotations

import math

import pytest

from storage.planning import study
from storage.planning.study import Choice

A, B, TIE = Choice
#: Krippendorff's example of three coders and fifteen units, as Wikipedia gives it
CODERS = ("*****34121133*3", "1*213343*******", "**21344*21133*4")


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (81, 263, 0.2535, 0.3682),
        (15, 148, 0.0598, 0.1644),
        (0, 20, 0.0, 0.2005),
        (1, 29, 0.0018, 0.1963),
        (29, 29, 0.8544, 1.0),
    ],
)
def test_wilson(successes: int, trials: int, low: float, high: float) -> None:
    """The interval is Wilson's with a correction for continuity, as Newcombe's table gives it."""
    assert study.wilson_interval(successes, trials) == pytest.approx((low, high), abs=5e-5)
    assert study.wilson_interval(0, 0) == (0.0, 1.0)


def test_needed() -> None:
    """The voters that must agree: 10 of 12, 18 of 24, all of 6, and no number below 6."""
    needed = {voters: study.find_needed_voters(voters) for voters in (0, 5, 6, 8, 12, 24, 91)}

    assert needed == {0: None, 5: None, 6: 6, 8: 8, 12: 10, 24: 18, 91: 56}


def test_chance() -> None:
    """Chance alone shows a preference in no more than one of 20 studies, whatever their size."""
    for voters in range(study.MIN_VOTERS, 200):
        needed = study.find_needed_voters(voters)
        assert needed is not None
        tail = sum(math.comb(voters, agreeing) for agreeing in range(needed, voters + 1))
        assert 2 * tail / 2**voters <= 0.05


def test_alpha() -> None:
    """Krippendorff's alpha of the known example is 0.691."""
    ballots = [[None if sign == "*" else int(sign) for sign in each] for each in CODERS]

    assert [len(each) for each in ballots] == [15, 15, 15]
    assert study.measure_alpha(ballots) == pytest.approx(0.691, abs=5e-4)  # type: ignore[arg-type]


def test_agreement() -> None:
    """Of six pairs of votes two are equal; a unit with one vote has none, and so has no vote."""
    ballots = [[A, A, None], [A, B, None], [B, TIE, A]]

    assert study.measure_agreement(ballots) == pytest.approx(1 / 6)
    assert study.measure_agreement([[A, None], [None, B]]) is None
    assert study.measure_agreement([]) is None
    assert study.measure_alpha([[A, A], [A, A]]) is None
    assert study.measure_alpha([[A, B], [A, B]]) == 1.0


def test_summary() -> None:
    """A voter counts once, by most of their pairs, if the attention pair was answered rightly."""
    ballots = [
        [A, A, B, A],  # prefers the first
        [A, B, B, B],  # the second
        [A, A, B, TIE],  # neither
        [A, None, None, A],  # the first, by one vote
        [B, A, A, A],  # missed the attention pair
        [TIE, A, A, A],  # so did who saw no difference there
        [None, A, None, None],  # left before it
        [A, None, None, None],  # judged nothing else
    ]

    result = study.summarise(ballots, attention=0)

    assert (result.first, result.second, result.neither) == (2, 1, 1)
    assert (result.missed, result.unfinished, result.voters) == (2, 2, 4)
    assert result.votes == (4, 5, 1)
    assert (result.leader, result.leaders, result.shown) == (A, 2, False)
    assert result.interval == study.wilson_interval(2, 3)


def test_ten_voters() -> None:
    """A study of four pairs, worked out by hand.

    Ten voted in the demo, as below: the ninth took noise for the better picture, and the tenth
    left before it. So 8 count, and 7 prefer the first side. Votes on the pairs are 7-1-0, 6-1-1,
    3-3-2 and 2-2-4: in all 18, 7 and 7. Of 8 x 7 ordered pairs of voters 42, 30, 14 and 16 agree,
    102 of 224. By Newcombe's formula the interval of 7 of 8 is (2np + z² -+ 1 -+ z sqrt(z² -+ 2 -
    1/n + 4p(nq +- 1))) / 2(n + z²), .467 and .993. Alpha is 1 - 31 (14 + 26 + 42 + 40) / 7 / 602.
    """
    votes = (
        "AAAA", "AAAB", "AABT", "AATT", "AAAT", "ATTT", "BBBB", "AABA", "AAAA", "AA--",
    )  # fmt: skip
    known = {"A": A, "B": B, "T": TIE, "-": None}
    checked = [A] * 8 + [B, None]
    ballots = [
        [first, *(known[vote] for vote in each)]
        for first, each in zip(checked, votes, strict=True)
    ]

    result = study.summarise(ballots, attention=0)

    assert (result.first, result.second, result.neither) == (7, 1, 0)
    assert (result.missed, result.unfinished, result.votes) == (1, 1, (18, 7, 7))
    assert result.interval == pytest.approx((0.467, 0.993), abs=5e-4)
    assert result.agreement == pytest.approx(102 / 224)
    assert result.alpha == pytest.approx(1 - 31 * 122 / 7 / 602)
    assert not result.shown


def test_nobody() -> None:
    """A study without votes has a result that shows nothing."""
    result = study.summarise([], attention=0)

    assert (result.voters, result.shown, result.agreement, result.alpha) == (0, False, None, None)


def test_order() -> None:
    """Each voter has an own order, the same each time, with the attention pair in the middle."""
    pairs = list(range(10, 19))
    orders = {voter: study.order_pairs("key", voter, pairs, 14) for voter in range(50)}

    assert orders[7] == study.order_pairs("key", 7, pairs, 14)
    assert all(sorted(order) == pairs and order[4] == 14 for order in orders.values())
    assert len({tuple(order) for order in orders.values()}) > 40


def test_sides() -> None:
    """Each side is on the left about half the time, and always the same for a voter and pair."""
    swapped = [study.is_swapped("key", voter, pair) for voter in range(40) for pair in range(10)]

    assert 160 < sum(swapped) < 240
    assert swapped[0] == study.is_swapped("key", 0, 0)
