"""A worker whose clock is another one: on another machine, or set while it works."""

from __future__ import annotations

import time
from itertools import cycle

import pytest

from storage.events import LogEntry, Progress
from tests.fakes.claims import ALL_KINDS
from training.scheduler.claim import Claim
from training.worker.eventlog import EventLog
from training.worker.inbox import Inbox

HOUR = 3600.0


@pytest.mark.parametrize("hours", [(1,), (-1,), (1, -1, 0)])
async def test_events_have_the_schedulers_time(queue, hours):
    """What happens while the scheduler follows is noted with its time, in the order of the log."""
    await queue.add_training()
    job = await queue.store.jobs.claim("box/cpu", ALL_KINDS)
    claim = await Claim.open(queue.store, job, Inbox(queue.home.workers / "cpu" / "inbox"))
    await claim.copy_events()
    log, clock = EventLog(claim.folder.events_file), cycle(hours)
    before = time.time()
    for step in range(6):
        log.write(LogEntry(Progress(step, 9), time.time() + HOUR * next(clock)))
        await claim.copy_events()
    entries = await queue.store.events.list_kind(job.id, Progress)

    assert [entry.event.step for entry in entries] == list(range(6))
    assert all(before <= entry.at <= time.time() for entry in entries)


async def test_what_happened_before_keeps_its_time(queue):
    """What a worker wrote while no scheduler followed has the worker's own time."""
    await queue.add_training()
    job = await queue.store.jobs.claim("box/cpu", ALL_KINDS)
    claim = await Claim.open(queue.store, job, Inbox(queue.home.workers / "cpu" / "inbox"))
    then = time.time() - HOUR
    EventLog(claim.folder.events_file).write(LogEntry(Progress(1, 9), then))
    await claim.copy_events()
    [entry] = await queue.store.events.list_kind(job.id, Progress)

    assert entry.at == pytest.approx(then, abs=0.01)
