"""The events of all jobs, in order and for good; each reader has a cursor of its own."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import TypeVar, cast

from storage.eventlines import read_entry
from storage.events import Event, LogEntry
from storage.tables.database import Database

APPEND = """
INSERT INTO events (job, kind, facts, at) SELECT id, :kind, :facts, :at FROM jobs WHERE id = :job
"""
E = TypeVar("E", bound=Event)
ADVANCE = """
INSERT INTO cursors (name, event) VALUES (:name, :event)
ON CONFLICT (name) DO UPDATE SET event = excluded.event
"""


class Events:
    """The append-only table of events."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(
        self, job: int, entries: Sequence[LogEntry[Event]], cursor: tuple[str, int] | None = None
    ) -> None:
        """Append events to a job; set a cursor, (name, number), in the same transaction."""
        async with self._database.transaction() as tx:
            for entry in entries:
                facts = json.dumps(entry.to_json(), ensure_ascii=False)
                await tx.execute(APPEND, job=job, kind=entry.event.kind, facts=facts, at=entry.at)
            if cursor is not None:
                await tx.execute(ADVANCE, name=cursor[0], event=cursor[1])

    async def list_since(self, cursor: int, limit: int = 500) -> list[LogEntry[Event]]:
        """List the events after one, oldest first."""
        sql = "SELECT * FROM events WHERE id > :cursor ORDER BY id LIMIT :limit"
        rows = await self._database.execute(sql, cursor=cursor, limit=limit)
        return [read_row(row) for row in rows]

    async def list_for_job(self, job: int) -> list[LogEntry[Event]]:
        """List the events of a job, oldest first."""
        sql = "SELECT * FROM events WHERE job = :job ORDER BY id"
        rows = await self._database.execute(sql, job=job)
        return [read_row(row) for row in rows]

    async def list_kind(self, job: int, kind: type[E]) -> list[LogEntry[E]]:
        """List the events of one kind in a job, oldest first."""
        sql = "SELECT * FROM events WHERE job = :job AND kind = :kind ORDER BY id"
        rows = await self._database.execute(sql, job=job, kind=kind.KIND)
        entries = [read_row(row) for row in rows]
        return [cast("LogEntry[E]", entry) for entry in entries if isinstance(entry.event, kind)]

    async def get(self, number: int) -> LogEntry[Event] | None:
        """Return an event by its number; None for one that went with its job."""
        row = await self._database.fetch_one("SELECT * FROM events WHERE id = :id", id=number)
        return None if row is None else read_row(row)

    async def read_cursor(self, name: str) -> int:
        """Return the number of the last event that a reader has handled, 0 before the first."""
        sql = "SELECT event FROM cursors WHERE name = :name"
        row = await self._database.fetch_one(sql, name=name)
        return 0 if row is None else int(row["event"])

    async def save_cursor(self, name: str, number: int) -> None:
        """Store the number of the last event that a reader has handled."""
        await self._database.execute(ADVANCE, name=name, event=number)

    async def newest_id(self) -> int:
        """Return the number of the newest event."""
        rows = await self._database.execute("SELECT coalesce(max(id), 0) AS newest FROM events")
        return int(rows[0]["newest"])


def read_row(row: sqlite3.Row) -> LogEntry[Event]:
    """Read an event from its row."""
    return read_entry(row["kind"], json.loads(row["facts"]), row["at"], row["id"], row["job"])
