"""What every backend promises, whether its workers are here or on another machine."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from benchmarks.speed.wire import Wire
from storage.folders import Home
from tests.fakes.remote import FakeRemote
from training.scheduler.ferry.backend import RemoteBackend
from training.scheduler.local import LocalBackend

pytestmark = pytest.mark.slow(1)
#: a worker that works for a moment and then waits, or raises at SIGUSR1
PROGRAM = """
import signal, time
signal.signal(signal.SIGUSR1, lambda *_: 1 / 0)
sum(range(10**6))
open("/dev/stdout", "w").write("ready\\n")
while True:
    time.sleep(0.01)
"""
WORKER = (sys.executable, "-c", PROGRAM)


@pytest.fixture(params=["here", "elsewhere"])
def backend(request, tmp_path):
    """Return a backend; its worker ends with the test."""
    home = Home(tmp_path / "home")
    home.workers.mkdir(parents=True)
    if request.param == "here":
        yield LocalBackend(home, WORKER)
        return
    remote = FakeRemote(tmp_path / "box", "cpu", WORKER, Wire())
    yield RemoteBackend(home, "cpu", remote)
    remote.place.leave()


@pytest.fixture
def process(backend, tmp_path):
    """Return a worker that has begun to work."""
    started = backend.start("cpu")
    while not any("ready" in log.read_text() for log in tmp_path.rglob("log.txt")):
        time.sleep(0.02)
    yield started
    backend.stop(started)


def wait_for_death(backend, process):
    """Wait until a process is dead."""
    while backend.alive(process):
        time.sleep(0.02)


def test_alive_until_stopped(backend, process):
    """A worker is alive and can be asked what it does; once stopped, it is dead and stays so."""
    assert backend.alive(process)
    assert backend.reachable()
    activity = backend.activity(process)

    backend.stop(process)

    assert activity is not None
    assert activity.cpu_seconds > 0
    assert not backend.alive(process)
    assert not backend.alive(process)


@pytest.mark.parametrize(
    ("sent", "blamed"), [(signal.SIGUSR1, True), (signal.SIGTERM, False)], ids=["crash", "ended"]
)
def test_what_it_died_of(backend, process, sent, blamed):
    """One that crashed is blamed; one that somebody ended is not."""
    os.kill(process["pid"], sent)
    wait_for_death(backend, process)

    assert backend.died_by_itself(process) is blamed


def test_another_start(backend, process):
    """A worker that is started after another one of its name is another process."""
    backend.stop(process)
    again = backend.start("cpu")

    assert again["pid"] != process["pid"]
    assert backend.alive(again)
    backend.stop(again)
