"""A sweep halves its recipes within the steps of one and a half runs."""

from __future__ import annotations

from itertools import pairwise

import pytest

from storage.planning.sweep import (
    BUDGET,
    MAX_RECIPES,
    MIN_RECIPES,
    Variant,
    count_steps,
    end_of_round,
    list_rounds,
    plan_shares,
    propose_variants,
)

COUNTS = range(MIN_RECIPES, MAX_RECIPES + 1)
USUAL = Variant(1e-3, 8)


@pytest.mark.parametrize("recipes", COUNTS)
def test_budget(recipes: int) -> None:
    """All recipes together take one and a half runs at most, and nearly all of that."""
    totals = [count_steps(recipes, steps) / steps for steps in range(30, 3000, 7)]

    assert max(totals) <= BUDGET
    assert totals[-1] > BUDGET - 0.01


@pytest.mark.parametrize("recipes", COUNTS)
def test_rounds(recipes: int) -> None:
    """Each round trains half of the recipes at most, further than before; one reaches the end."""
    rounds, shares = list_rounds(recipes), plan_shares(recipes)

    assert (rounds[0], rounds[-1], shares[-1]) == (recipes, 1, 1.0)
    assert all(1 <= later <= now / 2 for now, later in pairwise(rounds))
    assert list(shares) == sorted(set(shares))
    assert len(shares) == len(rounds)
    ends = [end_of_round(100, share) for share in shares]
    assert (ends[-1], min(ends[:-1]) > 0) == (0, True)


def test_one_step() -> None:
    """A round takes one step at least."""
    assert end_of_round(4, 0.1) == 1


@pytest.mark.parametrize(
    ("usual", "ranks", "keeps_rate", "proposed"),
    [
        (
            USUAL, (1, 128), False,
            [(1e-3, 8), (3e-3, 8), (3.3e-4, 8), (1e-3, 16), (1e-3, 4), (3.3e-4, 16)],
        ),
        (USUAL, (1, 8), False, [(1e-3, 8), (3e-3, 8), (3.3e-4, 8), (1e-3, 4)]),
        (USUAL, (1, 128), True, [(1e-3, 8), (1e-3, 16), (1e-3, 4)]),
        (Variant(0.05, 0), (0, 0), False, [(0.05, 0), (0.017, 0)]),
        (Variant(1.0, 1), (1, 1), True, [(1.0, 1)]),
    ],
)  # fmt: skip
def test_variants(
    usual: Variant, ranks: tuple[int, int], keeps_rate: bool, proposed: list[tuple[float, int]]
) -> None:
    """The usual recipe comes first, with those around it that the method can train."""
    found = propose_variants(usual, ranks, keeps_rate=keeps_rate)

    assert found == [Variant(*each) for each in proposed]
