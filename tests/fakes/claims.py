"""Claims of jobs as a scheduler makes them, and what became of the jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.events import StatusChanged
from storage.records import Job, Kind

if TYPE_CHECKING:
    from storage.store import Store

ALL_KINDS = tuple(Kind)


async def claim(store: Store, lease: float = 30) -> Job:
    """Claim the next job."""
    job = await store.jobs.claim("w", ALL_KINDS, lease=lease)
    assert job is not None
    return job


async def statuses(store: Store, job: int) -> list[dict[str, object]]:
    """Return the events of a job's status."""
    return [entry.to_json() for entry in await store.events.list_kind(job, StatusChanged)]
