"""Benchmarks can be imported, and their arithmetic is right."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import benchmarks
from benchmarks import table

MODULES = [module.name for module in pkgutil.walk_packages(benchmarks.__path__, "benchmarks.")]


@pytest.mark.parametrize("name", MODULES)
def test_each_can_be_run(name):
    """Each benchmark imports without side effects."""
    assert importlib.import_module(name).__doc__


def test_ratio():
    """The ratio is the median of pairs, not the ratio of sums."""
    assert table.ratio([(2, 1), (30, 20), (1.1, 1), (1, 1), (90, 10)]) == 1.5


def test_quantile():
    """A quantile is the smallest value that this part of the values does not exceed."""
    waits = list(range(1, 101))
    assert table.quantile(waits, 0.99) == 99
    assert table.quantile(waits, 0.5) == 50
    assert table.quantile([7.0], 0.99) == 7


@pytest.mark.parametrize(("value", "met"), [(1.1, True), (1.1001, False), (float("inf"), False)])
def test_a_bar_may_be_touched(value, met):
    """A value equal to its bar meets it."""
    assert table.at_most("ratio", value, 1.1).met is met


def test_a_missed_bar_ends_with_a_code(capsys):
    """One missed bar fails the run; figures without a bar never do."""
    fine = [table.figure("seconds", 12.34, "s"), table.at_least("pictures", 544, 500)]
    assert table.print_table(fine) == 0
    assert table.print_table([*fine, table.at_most("ratio", 1.2, 1.1)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "| seconds | 12.3 s |  |  |" in lines
    assert "| ratio | 1.200 | ≤ 1.1 | **missed** |" in lines


def test_a_row_is_printed_as_soon_as_it_is_there(capsys):
    """Rows of a long run are printed one by one."""
    seen = []

    def rows():
        for what in ("first", "second"):
            seen.append(capsys.readouterr().out)
            yield table.figure(what, 1)

    table.print_table(rows())
    assert "| first |" not in seen[0]
    assert "| first |" in seen[1]
