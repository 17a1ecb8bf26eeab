"""Lines on stdout, and who reads them."""

from __future__ import annotations

import os
import sys

import pytest

from training.cli.output import print_line
from training.cli.stop import Stop


@pytest.mark.usefixtures("handlers")
def test_a_reader_that_died_stops_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is as if somebody had pressed Ctrl+C; what is printed afterwards goes nowhere."""
    reading, writing = os.pipe()
    os.close(reading)
    stop = Stop()

    with stop.deferring(), stop.listening(), os.fdopen(writing, "w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        print_line({"kind": "progress"})
        print_line({"kind": "progress"})

    assert stop.asked
