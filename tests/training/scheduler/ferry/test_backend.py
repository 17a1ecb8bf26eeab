"""A worker on another machine, started and watched by the real scheduler."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager

import pytest

from benchmarks.speed.wire import Wire
from storage.events import Progress
from storage.folders import Home
from storage.records import Status
from tests.fakes.jobqueue import ALICE
from tests.fakes.remote import FakeRemote
from training.scheduler.ferry.backend import MAX_LOST_SECONDS, RemoteBackend
from training.scheduler.watch import WorkerWatch

pytestmark = pytest.mark.slow(1)
WORKER = (sys.executable, "-m", "tests.fakes.worker")


@pytest.fixture
def remote(tmp_path):
    """Return another machine whose wire is whole; its worker ends with the test."""
    made = FakeRemote(tmp_path / "box", "cpu", WORKER, Wire())
    yield made
    made.place.leave()


@asynccontextmanager
async def running(queue, remote):
    """Run a scheduler whose one worker is on another machine."""
    backend = RemoteBackend(queue.home, "cpu", remote)
    async with queue.running_scheduler(backend):
        yield backend


async def test_a_training_elsewhere(queue, remote):
    """Over a wire that loses every tenth message, a training becomes the same style as here.

    Afterwards nothing of the member's is left on the other machine.
    """
    remote.wire.cut_share = 0.1
    async with running(queue, remote):
        job = await queue.add_training(ALICE)
        await queue.wait_for(job, Status.DONE)
    elsewhere = queue.read_result(job)
    async with queue.running_scheduler():
        dataset = await queue.store.datasets.get(job.dataset, ALICE)
        again = await queue.add_training(ALICE, dataset=dataset)
        await queue.wait_for(again, Status.DONE)

    assert elsewhere == queue.read_result(again)
    remote.place.leave()
    assert [path for path in remote.home.runs.rglob("*") if path.is_file()] == []


async def test_a_killed_worker(queue, remote):
    """A worker that dies there is started anew, and its job goes on from the last checkpoint."""
    async with running(queue, remote):
        (remote.home.path / "die").write_text("step 25")
        job = await queue.add_training(ALICE)
        done = await queue.wait_for(job, Status.DONE)

    steps = [entry.event.step for entry in await queue.store.events.list_kind(job.id, Progress)]
    assert done.fence == 2
    assert steps.count(21) == 2  # what came after the checkpoint at step 20 was done again
    assert steps.count(20) == 1


def test_an_unplugged_machine(tmp_path, remote):
    """One that does not answer counts as dead after a while; one that hiccups does not.

    It is dead before its worker counts as hung, which would be blamed on the job, and stays so
    when the machine answers again.
    """
    now = [0.0]
    home = Home(tmp_path / "here")
    home.workers.mkdir(parents=True)
    backend = RemoteBackend(home, "cpu", remote, clock=lambda: now[0])
    process = backend.start("cpu")

    def look(seconds):
        now[0] += seconds
        return backend.alive(process)

    assert look(1)
    remote.wire.unplugged = True
    hiccup = [look(4) for _ in range(2)]
    remote.wire.unplugged = False
    back = look(1)
    watch = WorkerWatch(backend, process, tmp_path / "silent", clock=lambda: now[0])
    remote.wire.unplugged = True
    gone, hangs = [look(4)], list[bool]()
    while gone[-1]:
        hangs.append(watch.hangs(ready=True, holds_job=True))
        gone.append(look(4))
    remote.wire.unplugged = False

    assert (hiccup, back) == ([True] * 2, True)
    assert gone == [True] * int(MAX_LOST_SECONDS // 4) + [False]
    assert not any(hangs)
    assert not look(1)  # its jobs are elsewhere by now
    assert not backend.died_by_itself(process)
    again = backend.start("cpu")
    assert again["session"] == process["session"] + 1
    assert not remote.place.check(process).alive


def test_stopped_while_away(tmp_path, remote):
    """A worker that was to be killed while its machine was away is dead when that is back."""
    home = Home(tmp_path / "here")
    home.workers.mkdir(parents=True)
    backend = RemoteBackend(home, "cpu", remote)
    process = backend.start("cpu")
    remote.wire.unplugged = True
    backend.stop(process)
    remote.wire.unplugged = False

    assert remote.place.check(process).alive
    assert not backend.alive(process)
    assert backend.alive(backend.start("cpu"))
