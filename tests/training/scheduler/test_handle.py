"""The trainer's side of a worker, on a backend that only keeps a list."""

from __future__ import annotations

import time

import pytest

from storage.records import Kind
from training.scheduler.handle import Station
from training.worker.folder import Desk


class Ledger:
    """A backend whose workers are numbers in a set."""

    def __init__(self) -> None:
        self.started = 0
        self.living: set[int] = set()

    def start(self, name):
        """Add one."""
        self.started += 1
        self.living.add(self.started)
        return {"pid": self.started, "name": name}

    def alive(self, handle):
        """Look it up."""
        return handle["pid"] in self.living

    def stop(self, handle):
        """Remove it."""
        self.living.discard(handle["pid"])


@pytest.fixture
def backend():
    """Return a backend without workers."""
    return Ledger()


@pytest.fixture
def station(tmp_path, backend):
    """Return a station without a worker."""
    return Station("cpu", Desk(tmp_path / "cpu"), backend)


class Held:
    """A claim, as far as a station looks."""

    def __init__(self, kind):
        self.job = self
        self.kind = kind


def test_one_that_dies_at_once_is_not_started_at_once(station, backend):
    """Each death in a row makes the pause longer."""
    for _ in range(50):
        if not station.alive():
            station.start()
        backend.living.clear()

    assert backend.started == 1
    for pause in (1, 0, 2, 1, 3):
        station.started = time.monotonic() - pause
        station.start()
    assert (backend.started, station.deaths) == (4, 4)


def test_one_that_lived_long_is_started_at_once(station, backend):
    """A death after a minute of life is the first again."""
    station.start()
    station.deaths, backend.living = 6, set()
    station.started -= 61
    station.start()

    assert (backend.started, station.deaths) == (2, 1)


def test_the_worker_of_an_earlier_trainer_is_adopted(station, backend):
    """A living worker that signed its desk is taken over, not doubled."""
    handle = backend.start("cpu")
    station.desk.sign(handle)

    assert station.alive()
    assert station.handle == handle


def test_a_silent_worker_is_ended(station, backend):
    """A heart that does not beat is a death, by our own clock."""
    station.start()
    station.desk.tell({"held": [], "serves": []})
    station.desk.heartbeat.touch()
    beating = station.alive()
    station.heard -= station.silence + 1
    silent = station.alive()

    assert (beating, silent) == (True, False)
    assert backend.living == set()


def test_a_worker_that_wakes_up_has_time(station):
    """Importing torch may hold the heart up; before it is ready, a worker may be silent longer."""
    station.start()
    station.alive()
    station.heard -= station.silence + 1

    assert station.alive()


def test_what_is_left_of_the_last_one_goes(station):
    """A new worker does not hear what its predecessor was asked, nor answer with its words."""
    station.start()
    station.desk.tell({"held": []})
    station.leave()
    station.started = time.monotonic() - 100
    station.start()

    assert station.desk.inbox.take() == []
    assert not station.ready


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
def test_what_can_be_taken(station, held, begun, wanted):
    """One job of a kind at a time; beside a training that has begun, what fits."""
    station.start()
    station.claims = [Held(kind) for kind in held]
    runs = [{"job": 1, "kind": kind, "begun": begun} for kind in held]
    station.desk.tell({"held": runs, "serves": ["embedded"]})

    assert station.wants() == wanted
