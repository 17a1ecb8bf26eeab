"""The time by which old things are deleted follows the clock, but not everywhere at once."""

from __future__ import annotations

import json
import time

import pytest

from storage.carefultime import Look, believe, read_careful_time
from storage.folders import Home, write_json

DAY, YEAR = 86400.0, 365 * 86400.0


@pytest.mark.parametrize(
    ("clock", "ran", "boot", "believed"),
    [
        (3600.0, 3600.0, "a", 3600.0),  # the clock is right
        (10 * YEAR, 3600.0, "a", DAY),  # it jumped: a day for each hour
        (10 * YEAR, 0.0, "a", 0.0),
        (10 * YEAR, 5.0, "b", DAY),  # the machine was started again
        (YEAR, -5.0, "a", DAY),  # also where nothing tells one start from another
        (-YEAR, 3600.0, "a", 0.0),  # it was set back
    ],
)
def test_believed(clock: float, ran: float, boot: str, believed: float) -> None:
    """A clock is believed as far as the machine can have run since the last look."""
    now = 100 * YEAR
    found = believe(Look(now, 1000.0, "a"), Look(now + clock, 1000.0 + ran, boot))

    assert found == Look(now + believed, 1000.0 + ran, boot)


def test_remembered(home: Home) -> None:
    """The time is remembered in the data folder; a clock that was set back counts at once."""
    home.path.mkdir()
    first = read_careful_time(home)
    known = json.loads(home.careful_time_file.read_bytes())
    write_json(home.careful_time_file, known | {"time": first - 10 * YEAR})
    long_ago = read_careful_time(home)
    write_json(home.careful_time_file, known | {"time": first + YEAR})
    set_back = read_careful_time(home)
    home.careful_time_file.write_text("{")

    assert first == pytest.approx(time.time(), abs=60)
    assert long_ago < first - 9 * YEAR
    assert set_back == pytest.approx(first, abs=60)
    assert read_careful_time(home) == pytest.approx(first, abs=60)
