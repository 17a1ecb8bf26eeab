"""Whether a worker hangs, by a clock that the test turns."""

from __future__ import annotations

import os

import pytest

from training.scheduler import watch
from training.scheduler.watch import WorkerWatch
from training.worker.counter import count_up
from training.worker.process import Activity


class StillBackend:
    """A backend whose only process does what the test says."""

    def __init__(self) -> None:
        self.now: Activity | None = Activity(stopped=False, cpu_seconds=0.0, other=0)

    def activity(self, _process):
        """Return what the process has done."""
        return self.now


class Watching:
    """A watch whose clock goes on by hand."""

    def __init__(self, heartbeat) -> None:
        self.backend, self.seconds, self.heartbeat = StillBackend(), 1000.0, heartbeat
        self.watch = WorkerWatch(self.backend, {"pid": 1}, heartbeat, lambda: self.seconds)

    def pass_seconds(self, seconds, *, beats=False, works=False, ready=True, holds_job=False):
        """Look every second for so long; return the second at which it was called hung."""
        for second in range(seconds):
            self.seconds += 1
            if beats:
                count_up(self.heartbeat)
            if works:
                self.backend.now = Activity(stopped=False, cpu_seconds=self.seconds, other=0)
            if self.watch.hangs(ready=ready, holds_job=holds_job):
                return second
        return None


@pytest.fixture
def watching(tmp_path):
    """Return a watch of a process that beats and works."""
    watching = Watching(tmp_path / "heartbeat")
    watching.pass_seconds(3, beats=True, works=True)
    return watching


@pytest.mark.parametrize("ready", [True, False])
def test_a_dead_heart_without_work(watching, ready):
    """A process that neither beats nor works is hung after 15 seconds, also while it starts."""
    assert watching.pass_seconds(60, ready=ready) == watch.MAX_SILENT_SECONDS


@pytest.mark.parametrize(
    ("ready", "limit"), [(True, watch.MAX_BUSY_SECONDS), (False, watch.MAX_START_SECONDS)]
)
def test_a_dead_heart_with_work(watching, ready, limit):
    """A call may block the heartbeat for a while as long as it works; an import longer."""
    assert watching.pass_seconds(400, works=True, ready=ready) == limit


@pytest.mark.parametrize(
    ("holds_job", "ready", "works", "limit"),
    [
        (True, True, False, watch.MAX_STUCK_SECONDS),
        (False, False, False, watch.MAX_STUCK_SECONDS),
        (True, True, True, None),
        (False, True, False, None),
    ],
)
def test_a_beating_heart(watching, holds_job, ready, works, limit):
    """A process that beats is hung if it does no work on its start, or on the job it holds."""
    kept = {"holds_job": holds_job, "ready": ready, "works": works}
    assert watching.pass_seconds(90, beats=True, **kept) == limit


def test_who_was_away_listens_anew(watching):
    """Hours in which nobody looked are no silence: the process was perhaps frozen, too."""
    watching.seconds += 7200
    away = watching.watch.hangs(ready=True, holds_job=True)

    assert not away
    assert watching.watch.may_have_paused()
    assert watching.pass_seconds(9, ready=True, holds_job=True) is None
    assert watching.pass_seconds(9, ready=True, holds_job=True) is not None


@pytest.mark.parametrize("hours", [(1,), (-1,), (1, -1, 0, 7)])
def test_a_clock_that_is_wrong_silences_nobody(watching, hours):
    """A heartbeat counts whatever time its file has: an hour ahead or behind, or jumping."""
    for second in range(60):
        watching.seconds += 1
        count_up(watching.heartbeat)
        then = 1e9 + 3600 * hours[second % len(hours)]
        os.utime(watching.heartbeat, (then, then))
        assert not watching.watch.hangs(ready=True, holds_job=False)


def test_a_time_alone_is_no_beat(watching):
    """A heartbeat whose file gets other times, but no other count, is silent."""
    for second in range(60):
        watching.seconds += 1
        os.utime(watching.heartbeat, (1e9 + 3600 * second,) * 2)
        if watching.watch.hangs(ready=True, holds_job=False):
            break

    assert second == watch.MAX_SILENT_SECONDS


def test_a_machine_that_tells_nothing(watching):
    """Where nobody knows what a process does, its heartbeat decides."""
    watching.backend.now = None

    assert watching.pass_seconds(60, beats=True, holds_job=True) is None
    assert watching.pass_seconds(60) == watch.MAX_SILENT_SECONDS
