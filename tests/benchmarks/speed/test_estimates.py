"""The card's estimate is compared with the true time."""

from __future__ import annotations

from benchmarks.speed.estimates import Comparison, rows


def test_rows() -> None:
    """Only processor time has a bar: other work on the machine changes the seconds."""
    near, far = Comparison(4, 50, 120.0, 40.0, 1.1), Comparison(8, 60, 40.0, 40.0, 0.7)

    first, estimated, computed, _, missed = rows(0.0, [near, far])

    assert (first.figure, estimated.figure) == ("0 s", "3 (120.0 s, 40.0 s)")
    assert (estimated.met, computed.met, missed.met) == (None, True, False)
