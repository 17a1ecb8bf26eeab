"""What happened, in order and for good; each reader keeps its own place."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from storage.records import Event
from storage.tables.database import Database

APPEND = """
INSERT INTO events (job, kind, facts, at) SELECT id, :kind, :facts, :at FROM jobs WHERE id = :job
"""
ADVANCE = """
INSERT INTO cursors (name, event) VALUES (:name, :event)
ON CONFLICT (name) DO UPDATE SET event = excluded.event
"""


class Events:
    """The append-only table of events."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(
        self, job: int, events: Sequence[Event], mark: tuple[str, int] | None = None
    ) -> None:
        """Add events to a job; with `mark`, move that cursor in the same transaction."""
        async with self._database.transaction() as tx:
            for event in events:
                facts = json.dumps(event.facts, ensure_ascii=False)
                await tx.execute(APPEND, job=job, kind=event.kind, facts=facts, at=event.at)
            if mark is not None:
                await tx.execute(ADVANCE, name=mark[0], event=mark[1])

    async def since(self, cursor: int, limit: int = 500) -> list[Event]:
        """List what happened after an event, oldest first."""
        rows = await self._database.execute(
            "SELECT * FROM events WHERE id > :cursor ORDER BY id LIMIT :limit",
            cursor=cursor,
            limit=limit,
        )
        return [event(row) for row in rows]

    async def of(self, job: int, kind: str | None = None) -> list[Event]:
        """List what happened in a job, oldest first."""
        rows = await self._database.execute(
            "SELECT * FROM events WHERE job = :job AND kind = coalesce(:kind, kind) ORDER BY id",
            job=job,
            kind=kind,
        )
        return [event(row) for row in rows]

    async def cursor(self, name: str) -> int:
        """Return a reader's place: the last event it has dealt with."""
        row = await self._database.fetch_one(
            "SELECT event FROM cursors WHERE name = :name", name=name
        )
        return 0 if row is None else int(row["event"])

    async def advance(self, name: str, number: int) -> None:
        """Keep a reader's place."""
        await self._database.execute(ADVANCE, name=name, event=number)

    async def newest(self) -> int:
        """Return the number of the newest event."""
        rows = await self._database.execute("SELECT coalesce(max(id), 0) AS newest FROM events")
        return int(rows[0]["newest"])


def event(row: sqlite3.Row) -> Event:
    """Read an event from its row."""
    return Event(row["kind"], json.loads(row["facts"]), row["at"], row["id"], row["job"])
