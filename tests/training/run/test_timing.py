"""The timing of a run."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from storage.events import LogEntry, Progress
from training.run.timing import RunTimer, read_last_progress


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


def test_what_is_compiled_later_is_left_out() -> None:
    """Each kind of step takes long at first, and that tells nothing of the others."""
    clock = RunTimer()
    for pause, kind in ((0.1, "wide"), (0.01, "wide"), (0.2, "high"), (0.01, "high")):
        with clock.timing_step():
            clock.note_kind(kind)
            time.sleep(pause)

    assert 20 < clock.steps_per_second() <= 100


def test_never() -> None:
    """A run without a step has no speed."""
    assert RunTimer().steps_per_second() == 0


@pytest.mark.parametrize(
    ("seconds", "saved", "total"), [(500.0, 400.0, 500), (0.0, 400.0, 400), (None, 400.0, 400)]
)
def test_earlier_attempts(seconds: float | None, saved: float, total: float) -> None:
    """A resumed run goes on from the last reported time, or from the checkpoint's."""
    clock = RunTimer()
    clock.go_on_from(None if seconds is None else Progress(5, 9, seconds=seconds), saved)
    with clock.timing_step():
        pass

    assert total <= clock.timings().seconds < total + 60
    assert clock.timings().first_step_seconds < 60


def test_the_rest_is_estimated_by_earlier_attempts() -> None:
    """Until a resumed run has measured steps and previews, their times are those of before."""
    clock = RunTimer()
    clock.go_on_from(Progress(5, 9, steps_per_second=4.0, picture_seconds=2.5), 0.0)
    with clock.timing_step():
        time.sleep(0.01)

    assert (clock.steps_per_second(), clock.mean_seconds("picture")) == (4.0, 2.5)
    with clock.timing_step():
        time.sleep(0.01)
    assert clock.steps_per_second() > 20


def test_a_new_attempt() -> None:
    """A new attempt of the same process adds to the time, and measures its steps anew."""
    clock = RunTimer()
    for _ in range(3):
        with clock.timing_step():
            time.sleep(0.01)
    before = clock.total_seconds()
    clock.begin_attempt()
    assert clock.steps_per_second() == 0
    with clock.timing_step():
        pass

    assert clock.total_seconds() > before > clock.first_step_seconds


def test_the_last_progress(tmp_path: Path) -> None:
    """The last whole line of progress counts, whatever a killed worker left after it."""
    log = tmp_path / "events.jsonl"
    assert read_last_progress(log) is None
    lines = [LogEntry(Progress(step, 9, seconds=step), 1.0).to_line() for step in (1, 2)]
    log.write_text("\n".join(map(json.dumps, lines)) + '\n{"kind": "note"}\n{"kind": "progress", ')

    found = read_last_progress(log)

    assert found is not None
    assert found.seconds == 2


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
