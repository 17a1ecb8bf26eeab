"""A worker handle, on a backend that only keeps a list."""

from __future__ import annotations

import time

import pytest

from storage.records import Kind
from training.scheduler.handle import WorkerHandle
from training.worker.folder import WorkerFolder
from training.worker.process import PROTOCOL


class FakeBackend:
    """A backend whose workers are numbers in a set."""

    def __init__(self) -> None:
        self.started = 0
        self.living: set[int] = set()

    def start(self, name):
        """Add a worker."""
        self.started += 1
        self.living.add(self.started)
        return {"pid": self.started, "name": name, "protocol": PROTOCOL}

    def alive(self, process):
        """Return whether a worker is in the set."""
        return process["pid"] in self.living

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

    def __init__(self, kind):
        self.job = self
        self.kind = kind


def test_one_that_dies_at_once_is_not_started_at_once(worker, backend):
    """Each death in a row makes the pause longer."""
    for _ in range(50):
        if not worker.check_alive():
            worker.start()
        backend.living.clear()

    assert backend.started == 1
    for pause in (1, 0, 2, 1, 3):
        worker.started_at = time.monotonic() - pause
        worker.start()
    assert (backend.started, worker.starts) == (4, 4)


def test_one_that_lived_long_is_started_at_once(worker, backend):
    """A death after a minute of life counts as the first again."""
    worker.start()
    worker.starts, backend.living = 6, set()
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
    worker.folder.write_process(backend.start("cpu") | {"protocol": 1})

    assert not worker.check_alive()
    assert not backend.living


def test_a_silent_worker_is_ended(worker, backend):
    """A worker without heartbeat is killed, by the scheduler's own clock."""
    worker.start()
    worker.folder.write_state({"held": [], "serves": []})
    worker.folder.heartbeat.touch()
    beating = worker.check_alive()
    worker.heard_at -= worker.max_silent + 1
    silent = worker.check_alive()

    assert (beating, silent) == (True, False)
    assert backend.living == set()


def test_a_worker_that_wakes_up_has_time(worker):
    """A starting worker may be silent longer, since importing torch delays its heartbeat."""
    worker.start()
    worker.check_alive()
    worker.heard_at -= worker.max_silent + 1

    assert worker.check_alive()


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
        ([], False, (["sample", "caption", "train"], None)),
        ([Kind.SAMPLE], False, (["caption", "train"], None)),
        ([Kind.TRAIN], False, ([], None)),
        ([Kind.TRAIN], True, (["sample", "caption"], ["embedded"])),
        ([Kind.TRAIN, Kind.SAMPLE], True, (["caption"], ["embedded"])),
    ],
)
def test_what_can_be_taken(worker, held, begun, wanted):
    """A worker takes one job of a kind; beside a running training, what fits."""
    worker.start()
    worker.claims = [FakeClaim(kind) for kind in held]
    runs = [{"job": 1, "kind": kind, "begun": begun} for kind in held]
    worker.folder.write_state({"held": runs, "serves": ["embedded"]})

    assert worker.wanted_jobs() == wanted
