"""Settings of Discord servers, and the reports of their members."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass

from storage.records import Server
from storage.tables.database import Database, read_row

UPSERT_SERVER = """
INSERT INTO servers (guild, channel, log, trainers, samplers, jobs, minutes)
VALUES (:guild, :channel, :log, :trainers, :samplers, :jobs, :minutes)
ON CONFLICT (guild) DO UPDATE SET
  channel = excluded.channel, log = excluded.log, trainers = excluded.trainers,
  samplers = excluded.samplers, jobs = excluded.jobs, minutes = excluded.minutes
"""


class Servers:
    """The table of servers' settings."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, guild: int) -> Server:
        """Return a server's settings; the defaults if none were saved."""
        sql = "SELECT * FROM servers WHERE guild = :guild"
        row = await self._database.fetch_one(sql, guild=guild)
        if row is None:
            return Server(guild)
        roles = {name: tuple(json.loads(row[name])) for name in ("trainers", "samplers")}
        return read_row(Server, row, **roles)

    async def save(self, server: Server) -> None:
        """Store a server's settings."""
        roles = {name: json.dumps(getattr(server, name)) for name in ("trainers", "samplers")}
        await self._database.execute(UPSERT_SERVER, **asdict(server) | roles)


@dataclass(frozen=True, slots=True)
class Report:
    """A member's report of a picture, for the moderators."""

    id: int
    guild: int
    reporter: int
    job: int | None
    message: int
    reason: str
    at: float


class Reports:
    """The table of reports."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, guild: int, reporter: int, job: int | None, message: int, reason: str
    ) -> int:
        """Add a report and return its id."""
        rows = await self._database.execute(
            "INSERT INTO reports (guild, reporter, job, message, reason, at)"
            " VALUES (:guild, :reporter, (SELECT id FROM jobs WHERE id = :job), :message,"
            " :reason, :at) RETURNING id",
            guild=guild,
            reporter=reporter,
            job=job,
            message=message,
            reason=reason,
            at=time.time(),
        )
        return int(rows[0]["id"])

    async def list_for(self, guild: int) -> list[Report]:
        """Return a server's reports, newest first."""
        sql = "SELECT * FROM reports WHERE guild = :guild ORDER BY id DESC"
        rows = await self._database.execute(sql, guild=guild)
        return [read_row(Report, row) for row in rows]
