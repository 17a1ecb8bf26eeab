"""Published recipes keep what they say; rates and photos follow the dial where a way says so."""

from __future__ import annotations

import pytest

from benchmarks.teaching.published import (
    AS_PUBLISHED,
    DIAL,
    RECIPES,
    SCALED,
    SHORT,
    THOROUGH,
    Case,
    list_cases,
    make_recipe,
    make_rows,
)
from training.bases.cache import BaseCache


@pytest.mark.parametrize(
    ("way", "steps", "rate"), [(AS_PUBLISHED, 500, 1e-4), (SCALED, 500, 3e-3), (SHORT, 150, 3e-3)]
)
def test_ways(way, steps, rate):
    """A rate is scaled as the dial's own is, and photos are shown as often as the dial shows."""
    recipe = make_recipe(BaseCache(None), Case("kohya", way, "panda", 1))

    assert (recipe.steps, recipe.rank, recipe.batch_size) == (steps, 32, 4)
    assert recipe.learning_rate == pytest.approx(rate)
    assert (recipe.lr_scheduler, recipe.min_snr_gamma) == ("constant", 0)


def test_the_dial_is_run_once_a_concept():
    """Each way of each recipe has its eight concepts; the dial has no ways."""
    cases = list(list_cases(1))

    assert len(cases) == len(set(cases)) == 8 * (1 + 3 * len(RECIPES))
    assert sum(case.recipe == DIAL for case in cases) == 8


def test_rows_compare_with_both_positions():
    """A recipe that is better than one position and worse than another misses one bar."""
    known = {
        Case(DIAL, "", "panda", 0): 0.5,
        Case("kohya", SCALED, "panda", 0): 0.6,
        Case(THOROUGH, "", "panda", 0): 0.7,
    }

    met = {row.what: row.met for row in make_rows(known)}

    assert met[f"{DIAL}, over kohya, {SCALED}"] is False
    assert met[f"{THOROUGH}, over kohya, {SCALED}"] is True
