"""Why jobs wait: what only a worker that is away can run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage.events import Note
from storage.records import Base, Catalog, Concept, Dial, Rule, Status
from training.scheduler.choice import list_elsewhere, list_warm
from training.scheduler.handle import WorkerHandle
from training.scheduler.local import LocalBackend
from training.scheduler.waiting import (
    AWAY_SECONDS,
    GONE_SECONDS,
    WaitingNotes,
    note_absent,
    note_staying,
)
from training.worker.folder import WorkerFolder

SMALL = Base("embedded", "Emoji", "sd1", "embedded", 64, "", "", present=True, small=True)
LARGE = Base("large", "Large", "sd1", "large", 512, "", "", present=True, memory_mib=60)
LITTLE, BIG = Catalog((SMALL, LARGE), memory_mib=50), Catalog((SMALL, LARGE), memory_mib=100)


@pytest.fixture
def workers(queue):
    """Return the handles of a little and of a big worker, which the scheduler has just seen."""
    backend = LocalBackend(queue.home)
    return [
        WorkerHandle(f"box/{name}", WorkerFolder(queue.home.workers / name), backend)
        for name in ("cuda0", "cuda1")
    ]


@pytest.fixture
async def catalogs(queue, workers):
    """Return the catalogs of both, which are published."""
    known = dict(zip([worker.name for worker in workers], [LITTLE, BIG], strict=True))
    for name, catalog in known.items():
        await queue.store.catalog.publish(catalog, name, known)
    return known


async def test_a_worker_that_is_away(queue, workers, catalogs):
    """A job that only it can run waits and is told so once; others hear nothing."""
    notes = WaitingNotes(queue.store)
    small, large = await queue.add_sample(), await queue.add_sample(base="large")
    told = []
    for away in (AWAY_SECONDS - 5, AWAY_SECONDS + 5, AWAY_SECONDS + 5):
        workers[1].seen_at = workers[0].seen_at - away
        await note_absent(notes, workers, catalogs)
        found = [await queue.store.events.list_kind(job.id, Note) for job in (small, large)]
        told.append([[entry.event for entry in each] for each in found])

    note = Note("worker_away", {"workers": "box/cuda1"})
    assert told == [[[], []], [[], [note]], [[], [note]]]
    assert (await queue.store.jobs.get(large.id)).status is Status.QUEUED
    assert (await queue.store.catalog.read()).places[0].worker == "box/cuda1"


async def test_a_worker_that_is_gone(queue, workers, catalogs):
    """After a while nobody is offered what only it can run; what was ordered still waits."""
    workers[1].seen_at -= GONE_SECONDS + 5
    await note_absent(WaitingNotes(queue.store), workers, catalogs)
    without = await queue.store.catalog.read()
    await queue.store.catalog.publish(BIG, "box/cuda1", catalogs)  # it is back
    back = await queue.store.catalog.read()

    assert [place.worker for place in without.places] == ["box/cuda0"]
    assert list_elsewhere(workers[0], workers, catalogs) == ["large"]
    assert len(back.places) == 2


async def test_a_training_that_is_too_large_here(queue, workers, catalogs):
    """A training that fits only the memory of the worker that is away waits for it."""
    rules = (Rule("lora", "embedded", Concept.LOOK, Dial.QUICK, 40, 0, 1, 99, 2, 1e-3, 2, 9, ""),)
    large = tuple(replace(rule, base="large", memory_mib=70) for rule in rules)
    here = (SMALL, replace(LARGE, memory_mib=40))
    known = {
        name: replace(catalog, bases=here, rules=rules + large)
        for name, catalog in catalogs.items()
    }
    workers[1].seen_at -= AWAY_SECONDS + 5
    jobs = [await queue.add_sample(base="large"), await queue.add_training(base="large")]
    await note_absent(WaitingNotes(queue.store), workers, known)

    found = [await queue.store.events.list_kind(job.id, Note) for job in jobs]
    assert [len(notes) for notes in found] == [0, 1]


async def test_what_nobody_can_run(queue, workers, catalogs):
    """A job that the worker that is away cannot run either is not said to wait for it."""
    workers[1].seen_at -= AWAY_SECONDS + 5
    job = await queue.add_sample(base="large")
    await note_absent(WaitingNotes(queue.store), workers, dict.fromkeys(catalogs, LITTLE))

    assert await queue.store.events.list_kind(job.id, Note) == []


async def test_what_stays_here(queue, workers, catalogs):
    """A job that stays is told once that only another machine can run it; others are not."""
    workers[1].remote = True
    notes = WaitingNotes(queue.store)
    free = await queue.add_sample(base="large")
    jobs = [free, await queue.add_sample(), await queue.add_sample(base="large", owner=4242)]
    await queue.store.staying.set(4242, stays=True)
    for _ in range(2):
        await note_staying(notes, workers, catalogs)

    found = [await queue.store.events.list_kind(job.id, Note) for job in jobs]
    assert [[entry.event for entry in each] for each in found] == [[], [], [Note("stays_here")]]


@pytest.mark.parametrize("number", [1, 2])
async def test_nobody_is_there(queue, workers, catalogs, number):
    """While no worker is there, jobs wait as ever, and everything is still offered."""
    for worker in workers:
        worker.seen_at -= GONE_SECONDS + 5
    job = await queue.add_sample(base="large")
    await note_absent(WaitingNotes(queue.store), workers[-number:], catalogs)

    assert await queue.store.events.list_kind(job.id, Note) == []
    assert len((await queue.store.catalog.read()).places) == 2


def test_a_worker_that_has_told_nothing_yet(workers):
    """What a worker cannot run is left to one that may be able to; alone it leaves nothing."""
    little, big = workers
    unknown = {little.name: LITTLE}

    assert list_elsewhere(little, workers, unknown) == ["large"]
    assert list_elsewhere(little, [little], unknown) == []
    assert list_elsewhere(little, workers, {**unknown, big.name: replace(LITTLE)}) == []


def test_a_base_in_memory(workers):
    """It is preferred where another worker could take the other jobs, else order is all."""
    little = workers[0]
    little.process = {"pid": 1}
    little.folder.write_state({"resident": ["large"]})

    assert list_warm(little, workers) == ["large"]
    assert list_warm(little, [little]) == []
