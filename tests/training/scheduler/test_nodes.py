"""Workers on other machines, beside those of this one."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager

import pytest

from storage.events import Progress
from storage.records import Status
from storage.tables.nodes import OWNER, Wish
from tests.fakes.cluster import FakeCluster
from tests.fakes.jobqueue import ALICE, BOB, TIMEOUT_SECONDS

pytestmark = pytest.mark.slow(2)
WORKER = (sys.executable, "-m", "tests.fakes.worker")
HERE, BOX = "studio/cpu", "lab/cpu"


@pytest.fixture
def cluster(tmp_path):
    """Return machines that may join; their workers end with the test."""
    made = FakeCluster(tmp_path / "boxes", WORKER)
    yield made
    made.close()


@asynccontextmanager
async def running(queue, cluster):
    """Run a scheduler with one worker here, and those that join."""
    async with queue.running_scheduler(cluster=cluster, box="studio") as scheduler:
        yield scheduler


async def wait_until(condition):
    """Wait until a condition holds."""
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while not await condition():
            await asyncio.sleep(0.02)


def is_here(queue, place, *, here=True):
    """Return a condition: whether a worker is noted as one that takes jobs."""

    async def check():
        return any(n.place == place and n.here is here for n in await queue.store.nodes.list())

    return check


async def test_two_members_on_two_machines(queue, cluster):
    """A machine that joins trains beside this one, to the same style as here."""
    box = cluster.join(BOX)
    queue.hold.touch()
    (box.home.path / "hold").touch()
    async with running(queue, cluster):
        await wait_until(is_here(queue, BOX))
        jobs = [await queue.add_training(owner) for owner in (ALICE, BOB)]
        for job in jobs:
            await queue.wait_for(job, Status.RUNNING)
        workers = {(await queue.store.jobs.get(job.id)).worker for job in jobs}
        queue.hold.unlink()
        (box.home.path / "hold").unlink()
        for job in jobs:
            await queue.wait_for(job, Status.DONE)
        nodes = [(node.place, node.remote) for node in await queue.store.nodes.list()]

    assert workers == {HERE, BOX}
    assert nodes == [(HERE, False), (BOX, True)]
    assert all(queue.read_result(job) for job in jobs)


async def test_cut_off_in_the_middle(queue, cluster):
    """A job on a machine that is cut off goes on here from its last checkpoint."""
    box = cluster.join(BOX)
    (box.home.path / "hold").touch()
    async with running(queue, cluster) as scheduler:
        await wait_until(is_here(queue, BOX))
        await queue.store.nodes.set_wish(HERE, Wish.DRAIN)
        await wait_until(drained(scheduler, HERE))
        job = await queue.add_training(ALICE)
        await queue.wait_for_event(job, Progress, 25)
        cluster.away.add(BOX)
        box.wire.unplugged = True
        remote = next(worker for worker in scheduler.workers if worker.name == BOX)
        remote.backend.max_lost_seconds = 0.1
        await queue.store.nodes.set_wish(HERE, Wish.NONE)
        done = await queue.wait_for(job, Status.DONE)
    steps = [entry.event.step for entry in await queue.store.events.list_kind(job.id, Progress)]

    assert (done.fence, done.worker) == (2, HERE)
    assert steps.count(20) == 1
    assert steps.count(21) == 2


async def test_an_absent_machine_of_before(queue, cluster):
    """A scheduler that starts anew knows a machine that is away, and works without it."""
    cluster.join(BOX)
    async with running(queue, cluster):
        await wait_until(is_here(queue, BOX))
    cluster.away.add(BOX)
    cluster.remotes[BOX].wire.unplugged = True
    async with running(queue, cluster):
        await queue.wait_for(await queue.add_training(ALICE), Status.DONE)
        await wait_until(is_here(queue, BOX, here=False))
        cluster.away.clear()
        cluster.remotes[BOX].wire.unplugged = False
        await wait_until(is_here(queue, BOX))


async def test_drained_and_removed(queue, cluster):
    """One that is drained takes no job; one that is removed leaves no file and is forgotten."""
    box = cluster.join(BOX)
    async with running(queue, cluster) as scheduler:
        await wait_until(is_here(queue, BOX))
        for place in (HERE, BOX):
            await queue.store.nodes.set_wish(place, Wish.DRAIN)
            await wait_until(drained(scheduler, place))
        await queue.store.staying.set(BOB, stays=True)
        job = await queue.add_sample(BOB)
        other = await queue.add_training(ALICE)
        await asyncio.sleep(1)
        waiting = [(await queue.store.jobs.get(each.id)).status for each in (job, other)]
        await queue.store.nodes.set_wish(BOX, Wish.NONE)
        trained = await queue.wait_for(other, Status.DONE)
        stayed = await queue.store.jobs.get(job.id)
        await queue.store.nodes.set_wish(BOX, Wish.REMOVE)
        await wait_until(forgotten(queue, BOX))
        await queue.store.nodes.set_wish(HERE, Wish.NONE)
        await queue.wait_for(job, Status.DONE)

    assert waiting == [Status.QUEUED] * 2
    assert trained.worker == BOX
    assert stayed.status is Status.QUEUED  # its photos stay on the main machine
    assert [path for path in box.home.runs.rglob("*") if path.is_file()] == []


async def test_its_owner_uses_it(queue, cluster):
    """While its owner uses a machine, it is away and the table says why; then it is back."""
    box, users = cluster.join(BOX), ["its owner"]
    box.place.is_taken = lambda: bool(users)

    async def is_kept_away():
        return OWNER in {node.why for node in await queue.store.nodes.list()}

    async with running(queue, cluster):
        await wait_until(is_kept_away)
        users.clear()
        await wait_until(is_here(queue, BOX))
        back = [(node.place, node.why) for node in await queue.store.nodes.list()]

    assert back == [(HERE, ""), (BOX, "")]


def drained(scheduler, place):
    """Return a condition: whether the scheduler knows that a worker takes no job."""

    async def check():
        return scheduler.nodes.wishes.get(place) is Wish.DRAIN

    return check


def forgotten(queue, place):
    """Return a condition: whether a worker is in the table no more."""

    async def check():
        return place not in {node.place for node in await queue.store.nodes.list()}

    return check
