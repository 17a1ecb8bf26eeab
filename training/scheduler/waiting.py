"""Why jobs wait, told in each of them once for as long as the reason lasts."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

from storage.events import LogEntry, Note
from storage.places import name_training
from storage.records import Catalog, Job, Status
from storage.store import Store
from training.scheduler.choice import list_elsewhere
from training.scheduler.handle import WorkerHandle

log = logging.getLogger(__name__)

WORKER_AWAY = "worker_away"  #: the code of a job's note
STAYS_HERE = "stays_here"  #: the same
AWAY_SECONDS = 60.0  #: without a worker, after which its jobs are told that it is away
GONE_SECONDS = 600.0  #: after which nobody is offered any more what only it can run


class WaitingNotes:
    """The notes in the jobs that wait."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.told: dict[str, set[int]] = {}  #: the ids of jobs by the code of a note

    async def list_waiting(self) -> list[Job]:
        """Return the jobs that nobody has claimed, oldest first."""
        return [j for j in await self.store.jobs.list_open() if j.status is Status.QUEUED]

    async def tell(self, note: Note, jobs: Iterable[Job]) -> None:
        """Append a note to the jobs that do not have it yet."""
        told = self.told.setdefault(note.code, set())
        for job in jobs:
            if job.id not in told:
                log.warning("Job %s is not started: %s", job.id, note.to_json())
                await self.store.events.append(job.id, [LogEntry(note, time.time())])
                told.add(job.id)

    def forget(self, code: str) -> None:
        """Forget who was told of a reason, which is no more."""
        self.told.pop(code, None)


async def note_absent(
    notes: WaitingNotes, workers: Sequence[WorkerHandle], catalogs: dict[str, Catalog]
) -> None:
    """Note in waiting jobs that the workers who can run them are away.

    After GONE_SECONDS the catalog of such a worker is published as away, while its jobs still
    wait for it. Where no worker is there, or only one exists, nothing changes.
    """
    away = [worker for worker in workers if worker.away_seconds() > AWAY_SECONDS]
    if not away or len(away) == len(workers):
        notes.forget(WORKER_AWAY)
        return
    for worker in away:
        known = catalogs.get(worker.name)
        if known and not known.away and worker.away_seconds() > GONE_SECONDS:
            catalogs[worker.name] = replace(known, away=True)
            names = [each.name for each in workers]
            await notes.store.catalog.publish(catalogs[worker.name], worker.name, names)
            log.warning("Worker %s has been away for long: its bases are not offered", worker.name)
    present = [worker for worker in workers if worker not in away]
    stuck = await list_stuck(notes, present, workers, catalogs)
    facts = {"workers": ", ".join(worker.name for worker in away)}
    await notes.tell(Note(WORKER_AWAY, facts), stuck)


async def note_staying(
    notes: WaitingNotes, workers: Sequence[WorkerHandle], catalogs: dict[str, Catalog]
) -> None:
    """Note in waiting jobs that they stay on the main machine, where no worker can run them."""
    here = [worker for worker in workers if not worker.remote]
    if not here or len(here) == len(workers):
        notes.forget(STAYS_HERE)
        return
    stuck = await list_stuck(notes, here, workers, catalogs)
    staying = await notes.store.staying.list_waiting() if stuck else set()
    await notes.tell(Note(STAYS_HERE), (job for job in stuck if job.id in staying))


async def list_stuck(
    notes: WaitingNotes,
    some: Sequence[WorkerHandle],
    workers: Sequence[WorkerHandle],
    catalogs: dict[str, Catalog],
) -> list[Job]:
    """Return the waiting jobs that none of `some` workers can run, and another one can."""
    left = [frozenset(list_elsewhere(worker, workers, catalogs)) for worker in some]
    others = frozenset.intersection(*left)
    return [
        job
        for job in await notes.list_waiting()
        if {job.base, name_training(job.base, job.request.get("method", ""))} & others
    ]
