"""The timing of a run."""

from __future__ import annotations

import time

import pytest

from training.run.timing import RunTimer


def test_speed() -> None:
    """The speed excludes the first step and the time of served jobs."""
    clock = RunTimer()
    for pause in (0.2, 0.01, 0.01, 0.01):
        with clock.timing_step():
            time.sleep(pause)
    time.sleep(0.1)
    clock.served_seconds += 0.1

    assert 20 < clock.steps_per_second() <= 100
    assert clock.first_step_seconds >= 0.2


def test_never() -> None:
    """A run without a step has no speed."""
    assert RunTimer().steps_per_second() == 0


def test_earlier_attempts() -> None:
    """The time of a resumed run is the sum of its attempts; its first step is this attempt's."""
    clock = RunTimer(500.0)
    with clock.timing_step():
        pass

    assert 500 <= clock.timings().seconds < 600
    assert clock.timings().first_step_seconds < 100


def test_due() -> None:
    """Progress is reported at most twice a second."""
    clock = RunTimer()
    clock.reported_at = clock.total_seconds()

    assert not clock.is_report_due()
    clock.reported_at -= 0.6
    assert clock.is_report_due()
    assert not clock.is_report_due()


def test_parts() -> None:
    """The time per item of a kind is the mean over all of that kind; zero if there are none."""
    clock = RunTimer()
    for times in (1, 3):
        with clock.timing("photo", times):
            time.sleep(0.02)

    assert 0.01 <= clock.mean_seconds("photo") < 0.1
    assert clock.mean_seconds("picture") == 0


def test_a_clock_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour by which the clock is set in the middle of a run is in no measurement."""
    clock, real = RunTimer(), time.time
    with clock.timing_step(), clock.timing("photo", 1):
        monkeypatch.setattr(time, "time", lambda: real() + 3600)

    timings = clock.timings()
    assert max(timings.seconds, timings.first_step_seconds, timings.photo_seconds) < 60
    assert timings.steps_per_second > 1
