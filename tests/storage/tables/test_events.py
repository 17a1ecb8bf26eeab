"""Events: complete, in order, and permanent."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest

from storage.events import LogEntry, Note, Progress, StatusChanged
from storage.records import NewJob
from storage.store import Store


def step(number: int) -> LogEntry[Progress]:
    """Return a progress event."""
    return LogEntry(Progress(number, 9), float(number))


async def test_since(store: Store, make_job: Callable[..., NewJob]) -> None:
    """A reader gets every event once and in order, in batches of any size."""
    job = await store.jobs.queue(make_job())
    await store.events.append(job.id, [step(1), step(2)])
    await store.events.append(job.id, [step(3)])

    first = await store.events.list_since(0, limit=3)
    rest = await store.events.list_since(first[-1].id)

    assert [entry.event for entry in first + rest] == [
        StatusChanged("queued"),
        Progress(1, 9),
        Progress(2, 9),
        Progress(3, 9),
    ]
    assert await store.events.newest_id() == rest[-1].id
    assert await store.events.list_kind(job.id, Progress) == [*first[1:], *rest]


async def test_cursor(store: Store, make_job: Callable[..., NewJob]) -> None:
    """Each reader has its own position, saved in the same transaction as what it wrote."""
    job = await store.jobs.queue(make_job())
    await store.events.save_cursor("bot", 4)
    await store.events.append(job.id, [step(1)], cursor=("run 1", 120))

    with pytest.raises(TypeError):
        await store.events.append(
            job.id, [LogEntry(Note("x", {"y": {1}}), 0.0)], cursor=("run 1", 240)
        )

    assert [await store.events.read_cursor(name) for name in ("bot", "run 1", "new")] == [
        4,
        120,
        0,
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE events SET kind = 'done'",
        "UPDATE events SET at = 0",
        "UPDATE events SET facts = '{}' WHERE kind = 'progress'",
        "UPDATE events SET facts = json_set(facts, '$.by', 1)",
        "DELETE FROM events",
        "DELETE FROM events WHERE id = 1",
    ],
)
async def test_stay(store: Store, make_job: Callable[..., NewJob], sql: str) -> None:
    """Events cannot be changed or removed while their job exists."""
    job = await store.jobs.queue(make_job())
    await store.events.append(job.id, [step(1)])
    before = await store.events.list_since(0)

    with pytest.raises(sqlite3.IntegrityError, match="events"):
        await store._database.execute(sql)

    assert await store.events.list_since(0) == before


async def test_numbers(store: Store, make_job: Callable[..., NewJob]) -> None:
    """Event numbers are never reused, so no reader misses events after an erased job."""
    first = await store.jobs.queue(make_job())
    newest = await store.events.newest_id()
    await store.members.erase(first.owner, keep_styles=False)

    await store.jobs.queue(make_job())

    assert [event.id for event in await store.events.list_since(newest)] == [newest + 1]


async def test_gone(store: Store) -> None:
    """Events of an erased job are dropped."""
    await store.events.append(999, [step(1)])

    assert await store.events.newest_id() == 0
