"""The table a benchmark prints: Markdown rows, and whether every bar was met."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure; `met` is None where nothing is asked of it."""

    what: str
    figure: str
    bar: str = ""
    met: bool | None = None

    def __str__(self) -> str:
        verdict = {None: "", True: "met", False: "**missed**"}[self.met]
        return f"| {self.what} | {self.figure} | {self.bar} | {verdict} |"


def at_most(what: str, value: float, bar: float, unit: str = "", more: str = "") -> Row:
    """Ask that a value be no more than its bar."""
    return Row(what, format_number(value, unit) + more, f"≤ {bar:g} {unit}".strip(), value <= bar)


def at_least(what: str, value: float, bar: float, unit: str = "", more: str = "") -> Row:
    """Ask that a value be no less than its bar."""
    return Row(what, format_number(value, unit) + more, f"≥ {bar:g} {unit}".strip(), value >= bar)


def close_to(what: str, foretold: float, found: float, bar: float) -> Row:
    """Ask that what was foretold be no more than so many percent from what was found."""
    error = 100 * (foretold - found) / found
    return Row(f"{what}, estimate's error", f"{error:+.1f} %", f"≤ {bar:g} %", abs(error) <= bar)


def figure(what: str, value: float | str, unit: str = "", more: str = "") -> Row:
    """Give a figure of which nothing is asked."""
    return Row(what, (value if isinstance(value, str) else format_number(value, unit)) + more)


def format_number(value: float, unit: str = "") -> str:
    """Write a number with as many digits as it deserves."""
    digits = 0 if value >= 100 or value == int(value) else 1 if value >= 10 else 3
    return f"{value:.{digits}f} {unit}".strip()


def ratio(pairs: Iterable[tuple[float, float]]) -> float:
    """Give the median of first over second, pair by pair: what slows both cancels out."""
    return statistics.median(ours / theirs for ours, theirs in pairs)


def quantile(values: Sequence[float], part: float) -> float:
    """Give the smallest value that at least this part of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(part * 1000) // 1000) - 1)]


def print_table(rows: Iterable[Row]) -> int:
    """Print a table, each row as soon as it is there; return 1 when a bar is missed, else 0."""
    print("| what | figure | bar | |")
    print("| --- | --- | --- | --- |", flush=True)
    missed = False
    for row in rows:
        print(row, flush=True)
        missed |= row.met is False
    return int(missed)
