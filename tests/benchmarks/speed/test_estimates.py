"""The card's time beside the truth."""

from __future__ import annotations

from benchmarks.speed.estimates import Comparison, rows


def test_rows() -> None:
    """What counts is the processor's time: other work on the machine changes seconds alone."""
    near, far = Comparison(4, 50, 120.0, 40.0, 1.1), Comparison(8, 60, 40.0, 40.0, 0.7)

    first, told, computed, _, missed = rows(0.0, [near, far])

    assert (first.figure, told.figure) == ("0 s", "3 (120.0 s, 40.0 s)")
    assert (told.met, computed.met, missed.met) == (None, True, False)
