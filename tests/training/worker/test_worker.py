"""The worker's main loop, in this process."""

from __future__ import annotations

import errno
import json
import subprocess
import time

import pytest

from storage.events import Done, Progress, Started, StepBoundary
from storage.folders import Home, JobFolder, write_json
from storage.records import Base, Catalog, Kind
from tests.fakes.jobqueue import WORKER
from training.worker.counter import count_up
from training.worker.eventlog import read_entries
from training.worker.folder import WorkerFolder
from training.worker.inbox import Command, Request
from training.worker.worker import ALONE_SECONDS, TAKEN_EXIT_CODE, Worker

HERE = Base("embedded", "Here", "sd1", "embedded:diffusion", 64, "none", "tests", present=True)


def task(folder):
    """Yield as many steps as the folder says."""
    yield Started(0, 2)
    for step in range(folder.read_request()["steps"]):
        yield StepBoundary(step)
        yield Progress(step + 1, 2)
    yield Done()


class CountingRuntime:
    """A runtime whose every task takes steps."""

    def __init__(self) -> None:
        self.begun: list[tuple[Kind, JobFolder]] = []
        self.bases: tuple[Base, ...] = (HERE,)
        self.rests = 0

    def catalog(self) -> Catalog:
        """Return a catalog of one base."""
        return Catalog(bases=self.bases, published=time.time())

    def start_task(self, kind, folder):
        """Start a task."""
        self.begun.append((kind, folder))
        return task(folder)

    def import_next(self):
        """Do nothing: there is nothing to import."""

    def free_memory(self):
        """Count the calls."""
        self.rests += 1

    def state(self):
        """Accept every job."""
        return {"serves": [base.name for base in self.bases]}


@pytest.fixture
def worker(tmp_path):
    """Return a worker with a folder."""
    home = Home(tmp_path)
    return Worker(home, WorkerFolder(home.workers / "cpu"), CountingRuntime())


@pytest.fixture
def ask(worker):
    """Write a job folder and request its run."""

    def asked(job, kind=Kind.SAMPLE, steps=1, fence=1):
        folder = worker.home.job_folder(f"{job}-key")
        write_json(folder.request_file, {"kind": kind, "steps": steps})
        worker.folder.inbox.send(Request(Command.RUN, job, fence, folder.path.name))
        return folder

    return asked


def kinds(folder):
    """Return the kinds of events."""
    return [entry.event.kind for entry in read_entries(folder.events_file)[0]]


def test_short_jobs_go_first(worker, ask):
    """A sample runs between two steps, before a caption job; the training records both."""
    training = ask(1, Kind.TRAIN, steps=5)
    for _ in range(3):
        worker.run_turn()
    caption, sample = ask(2, Kind.CAPTION, steps=2), ask(3, Kind.SAMPLE)
    ended = []
    while worker.executions:
        worker.run_turn()
        ended += [f for f in (sample, caption, training) if "done" in kinds(f) and f not in ended]

    served = [
        entry.event.job
        for entry in read_entries(training.events_file)[0]
        if entry.event.kind == "served"
    ]
    assert ended == [sample, caption, training]
    assert served == [3, 2]


def test_a_claim_is_taken_once(worker, ask):
    """A worker runs a claim once, however often requested; a new fence is a new claim."""
    for fence in (1, 1, 2):
        folder = ask(1, fence=fence)
        worker.run_turn()
        while worker.executions:
            worker.run_turn()

    assert kinds(folder).count("done") == 2


def test_a_later_claim(worker, ask):
    """What runs under an earlier claim of a job is dropped when a later one comes."""
    for fence in (1, 1, 2):
        folder = ask(1, Kind.TRAIN, steps=5, fence=fence)
        worker.run_turn()
        worker.run_turn()
    held = [run.request.fence for run in worker.executions]
    while worker.executions:
        worker.run_turn()

    endings = [entry.fence for entry in read_entries(folder.events_file)[0] if entry.fence]
    assert held == [2]
    assert endings == [2]


def test_a_wish_of_another_claim_is_not_heard(worker, ask):
    """A cancel for an earlier claim is ignored."""
    folder = ask(1, Kind.TRAIN, steps=3, fence=2)
    worker.run_turn()
    worker.folder.inbox.send(Request(Command.CANCEL, 1, 1))
    while worker.executions:
        worker.run_turn()

    assert kinds(folder)[-1] == "done"


@pytest.mark.parametrize("content", [None, "{", "[]", "{}", '{"kind": "dance"}'])
def test_a_broken_folder_fails_its_job_alone(worker, ask, content):
    """A missing or invalid `job.json` fails only its own job, with a code."""
    broken, other = ask(1), ask(2)
    broken.request_file.unlink()
    if content is not None:
        broken.request_file.write_text(content)
    worker.run_turn()
    while worker.executions:
        worker.run_turn()

    [failed] = read_entries(broken.events_file)[0]
    assert failed.event.code == "job_broken"
    assert kinds(other)[-1] == "done"


def test_what_is_held_is_told(worker, ask):
    """The state lists the jobs held, and whether a training has begun."""
    ask(1, Kind.TRAIN, steps=2)
    worker.run_turn()
    before = worker.folder.read_state()["held"]
    worker.run_turn()
    begun = worker.folder.read_state()["held"]
    while worker.executions:
        worker.run_turn()

    assert before == [{"job": 1, "kind": "train", "begun": False}]
    assert begun[0]["begun"]
    assert worker.folder.read_state()["held"] == []


def test_new_bases_are_offered(worker):
    """The catalog is written again only when it has changed."""
    worker.publish_catalog()
    first = worker.published_catalog
    worker.publish_catalog()
    same = worker.published_catalog
    worker.runtime.bases = ()
    worker.publish_catalog()

    assert first is same is not worker.published_catalog
    assert worker.folder.read_catalog()["bases"] == []


def test_nobody_is_there(worker, ask):
    """An idle worker without a scheduler exits; one with a job or a scheduler stays."""
    worker.publish_catalog()
    worker.scheduler.meter.seconds = ALONE_SECONDS + 1
    alone = worker.should_end()
    count_up(worker.folder.scheduler_heartbeat)
    met = worker.should_end()
    worker.folder.scheduler_heartbeat.unlink()
    ask(1)
    worker.run_turn()

    assert (alone, met, worker.should_end()) == (True, False, False)


def test_told_to_leave(worker, ask):
    """A worker that is asked to exit stops its jobs at a checkpoint first."""
    training, sample = ask(1, Kind.TRAIN, steps=9), ask(2)
    worker.run_turn()
    worker.folder.inbox.send(Request(Command.LEAVE))
    while not worker.should_end():
        worker.run_turn()

    for folder in (training, sample):
        assert json.loads(folder.events_file.read_text().splitlines()[-1])["leaving"]
    assert worker.folder.read_state()["leaving"]


def test_one_worker_a_folder(tmp_path, monkeypatch):
    """A second worker of the same name exits at once and changes nothing."""
    monkeypatch.setenv("SAFELIGHT_HOME", str(tmp_path))
    command = [*WORKER, "cpu"]
    with subprocess.Popen(command) as first:
        while WorkerFolder(tmp_path / "workers" / "cpu").read_state() is None:
            assert first.poll() is None
        handle = WorkerFolder(tmp_path / "workers" / "cpu").read_process()
        second = subprocess.run(command, check=False)
        first.terminate()

    assert second.returncode == TAKEN_EXIT_CODE
    assert first.returncode == 0
    assert WorkerFolder(tmp_path / "workers" / "cpu").read_process() == handle


def test_warm(worker, ask):
    """An idle worker imports libraries one by one."""
    folder, told = ask(1, Kind.TRAIN, steps=5), []

    class Leaving(CountingRuntime):
        def import_next(self):
            told.append(kinds(folder)[-1])
            if len(told) == 3:
                worker.leaving.set()

    worker.runtime = Leaving()
    worker.run()

    assert told == ["done"] * 3


def test_rest(worker):
    """After a long idle time memory is freed once; a job's end restarts the wait."""
    worker.idle_seconds = 60
    worker.free_idle_memory()
    early = worker.runtime.rests
    worker.busy_at -= 61
    worker.free_idle_memory()
    worker.free_idle_memory()
    worker.memory_freed = False
    worker.idle_seconds = 0
    worker.free_idle_memory()

    assert (early, worker.runtime.rests) == (0, 1)


class FullFolder(WorkerFolder):
    """A worker's folder on a disk that has room, or not."""

    full = True

    def write_state(self, state):
        """Write the state if there is room."""
        if type(self).full:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().write_state(state)


def test_a_full_disk_does_not_end_a_worker(tmp_path, monkeypatch):
    """A worker whose state has no room goes on, and publishes it once there is room."""
    home = Home(tmp_path)
    worker = Worker(home, FullFolder(home.workers / "cpu"), CountingRuntime())
    worker.publish_state()
    assert worker.folder.read_state() is None
    monkeypatch.setattr(FullFolder, "full", False)
    worker.publish_state()
    assert worker.folder.read_state() is not None
