"""Print a benchmark's table as Markdown rows, and whether every bar was met."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure; `met` is None if it has no bar."""

    what: str
    figure: str
    bar: str = ""
    met: bool | None = None

    def __str__(self) -> str:
        verdict = {None: "", True: "met", False: "**missed**"}[self.met]
        return f"| {self.what} | {self.figure} | {self.bar} | {verdict} |"


def at_most(what: str, value: float, bar: float, unit: str = "", more: str = "") -> Row:
    """Return a row that is met if the value is no more than its bar."""
    return Row(what, format_number(value, unit) + more, f"≤ {bar:g} {unit}".strip(), value <= bar)


def at_least(what: str, value: float, bar: float, unit: str = "", more: str = "") -> Row:
    """Return a row that is met if the value is no less than its bar."""
    return Row(what, format_number(value, unit) + more, f"≥ {bar:g} {unit}".strip(), value >= bar)


def close_to(what: str, estimated: float, true: float, bar: float) -> Row:
    """Return a row that is met if the estimate is within `bar` percent of the true value."""
    error = 100 * (estimated - true) / true
    return Row(f"{what}, estimate's error", f"{error:+.1f} %", f"≤ {bar:g} %", abs(error) <= bar)


def figure(what: str, value: float | str, unit: str = "", more: str = "") -> Row:
    """Return a row without a bar."""
    return Row(what, (value if isinstance(value, str) else format_number(value, unit)) + more)


def format_number(value: float, unit: str = "") -> str:
    """Return a number with three digits or more, and its unit."""
    digits = 0 if value >= 100 or value == int(value) else 1 if value >= 10 else 3
    return f"{value:.{digits}f} {unit}".strip()


def ratio(pairs: Iterable[tuple[float, float]]) -> float:
    """Return the median of first over second, pair by pair; a shared slowdown cancels out."""
    return statistics.median(ours / theirs for ours, theirs in pairs)


def quantile(values: Sequence[float], part: float) -> float:
    """Return the smallest value that at least this part of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(part * 1000) // 1000) - 1)]


def print_table(rows: Iterable[Row]) -> int:
    """Print a table row by row; return 1 if a bar is missed, else 0."""
    print("| what | figure | bar | |")
    print("| --- | --- | --- | --- |", flush=True)
    missed = False
    for row in rows:
        print(row, flush=True)
        missed |= row.met is False
    return int(missed)
