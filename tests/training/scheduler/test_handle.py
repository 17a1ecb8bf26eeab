"""A worker handle, on a backend that only keeps a list."""

from __future__ import annotations

import time

import pytest

from storage.records import Kind, Release
from training.scheduler.handle import WorkerHandle
from training.worker.counter import count_up
from training.worker.folder import WorkerFolder
from training.worker.marker import AdvanceMarker
from training.worker.process import PROTOCOL, Activity


class FakeBackend:
    """A backend whose workers are numbers in a set."""

    def __init__(self) -> None:
        self.started = 0
        self.living: set[int] = set()
        self.blamed = True
        self.stopped = False

    def start(self, name):
        """Add a worker."""
        self.started += 1
        self.living.add(self.started)
        return {"pid": self.started, "name": name, "protocol": PROTOCOL}

    def alive(self, process):
        """Return whether a worker is in the set."""
        return process["pid"] in self.living

    def died_by_itself(self, _process):
        """Return what the test says."""
        return self.blamed

    def reachable(self):
        """Return True."""
        return True

    def activity(self, _process):
        """Return a process that does nothing."""
        return Activity(self.stopped, 0.0, 0)

    def stop(self, process):
        """Remove a worker."""
        self.living.discard(process["pid"])


@pytest.fixture
def backend():
    """Return a backend without workers."""
    return FakeBackend()


@pytest.fixture
def worker(tmp_path, backend):
    """Return the handle of a worker that was never started."""
    return WorkerHandle("cpu", WorkerFolder(tmp_path / "cpu"), backend)


class FakeClaim:
    """The attributes of a claim that a worker handle uses."""

    def __init__(self, kind, number=1, fence=1):
        self.job = self
        self.kind, self.id, self.fence, self.disturbed = kind, number, fence, False


def test_one_that_dies_at_once_is_not_started_at_once(worker, backend):
    """Each crash in a row makes the pause longer."""
    for _ in range(50):
        if not worker.check_alive():
            worker.start()
        backend.living.clear()

    assert backend.started == 1
    for pause in (1, 0, 2, 1, 3):
        worker.started_at = time.monotonic() - pause
        worker.start()
    assert (backend.started, worker.starts) == (4, 4)


def test_one_that_was_killed_is_started_soon(worker, backend):
    """A worker that somebody else kills waits two seconds at most, however often that happens."""
    backend.blamed = False
    for _ in range(2000):
        worker.check_alive()
        worker.started_at = time.monotonic() - 2.1
        worker.start()
        backend.living.clear()

    assert backend.started == 2000


def test_one_that_lived_long_is_started_at_once(worker, backend):
    """A death after a minute of life counts as the first again."""
    worker.start()
    worker.starts, worker.crashed, backend.living = 6, True, set()
    worker.started_at -= 61
    worker.start()

    assert (backend.started, worker.starts) == (2, 1)


def test_the_worker_of_an_earlier_scheduler_is_adopted(worker, backend):
    """A living worker named in the folder is adopted instead of starting another."""
    process = backend.start("cpu")
    worker.folder.write_process(process)

    assert worker.check_alive()
    assert worker.process == process


def test_a_worker_of_another_version_is_replaced(worker, backend):
    """A worker that would look for its jobs in other places is ended, not adopted."""
    worker.folder.write_process(backend.start("cpu") | {"protocol": PROTOCOL - 1})

    assert not worker.check_alive()
    assert not backend.living


@pytest.mark.parametrize("stopped", [False, True])
def test_a_silent_worker_is_ended(worker, backend, stopped):
    """A worker that hangs is killed; it is to blame unless somebody has stopped it."""
    worker.start()
    worker.folder.write_state({"held": [], "serves": []})
    count_up(worker.folder.heartbeat)
    beating = worker.check_alive()
    backend.stopped, worker.watch.max_silent = stopped, -1
    silent = worker.check_alive()

    assert (beating, silent) == (True, False)
    assert backend.living == set()
    assert worker.crashed is not stopped


@pytest.mark.parametrize(
    ("blamed", "advanced", "reason"),
    [
        (True, (3, 1), Release.CRASHED),
        (True, (3, 2), Release.LEFT),  # an older claim
        (True, (4, 1), Release.LEFT),  # a sample beside the training
        (True, None, Release.LEFT),
        (False, (3, 1), Release.INTERRUPTED),
        (False, (4, 1), Release.LEFT),
    ],
)
def test_a_death_is_blamed_on_one_run(worker, backend, blamed, advanced, reason):
    """A run is only blamed if it was advanced when the worker died of what it did."""
    worker.start()
    worker.check_alive()
    marker = AdvanceMarker(worker.folder.marker)
    if advanced is not None:
        marker.advancing(*advanced).__enter__()
    backend.blamed, backend.living = blamed, set()
    worker.check_alive()

    assert worker.release_reason(FakeClaim(Kind.TRAIN, 3, 1)) is reason


def test_a_pause_is_noted_in_the_claims(worker):
    """A job during which the machine was perhaps frozen teaches nothing about durations."""
    worker.start()
    worker.claims = [FakeClaim(Kind.TRAIN)]
    worker.check_alive()
    before = worker.claims[0].disturbed
    worker.watch.heartbeat.meter.looked_at -= 100
    worker.check_alive()

    assert (before, worker.claims[0].disturbed) == (False, True)


def test_what_is_left_of_the_last_one_goes(worker):
    """A new worker starts with an empty inbox, and is not ready yet."""
    worker.start()
    worker.folder.write_state({"held": []})
    worker.ask_to_leave()
    worker.started_at = time.monotonic() - 100
    worker.start()

    assert worker.folder.inbox.take() == []
    assert not worker.ready


@pytest.mark.parametrize(
    ("held", "begun", "wanted"),
    [
        ([], False, (["sample", "caption", "grade", "train"], None)),
        ([Kind.SAMPLE], False, (["caption", "grade", "train"], None)),
        ([Kind.TRAIN], False, ([], None)),
        ([Kind.TRAIN], True, (["sample", "caption", "grade"], ["embedded"])),
        ([Kind.TRAIN, Kind.SAMPLE], True, (["caption", "grade"], ["embedded"])),
    ],
)
def test_what_can_be_taken(worker, held, begun, wanted):
    """A worker takes one job of a kind; beside a running training, what fits."""
    worker.start()
    worker.claims = [FakeClaim(kind) for kind in held]
    runs = [{"job": 1, "kind": kind, "begun": begun} for kind in held]
    worker.folder.write_state({"held": runs, "serves": ["embedded"]})

    assert worker.wanted_jobs() == wanted


def test_one_that_leaves_takes_nothing(worker):
    """A worker that puts its jobs down gets none of them again."""
    worker.start()
    worker.folder.write_state({"held": [], "serves": ["embedded"], "leaving": True})

    assert worker.wanted_jobs() == ([], None)
