"""What a server's owner decided, and what its members reported."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from storage.records import Server
from storage.tables.database import Database

UPSERT_SERVER = """
INSERT INTO servers (guild, channel, log, trainers, samplers, jobs, minutes)
VALUES (:guild, :channel, :log, :trainers, :samplers, :jobs, :minutes)
ON CONFLICT (guild) DO UPDATE SET
  channel = excluded.channel, log = excluded.log, trainers = excluded.trainers,
  samplers = excluded.samplers, jobs = excluded.jobs, minutes = excluded.minutes
"""


class Servers:
    """The settings of each server."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, guild: int) -> Server:
        """Return a server's settings, the defaults where none were saved."""
        row = await self._database.fetch_one(
            "SELECT * FROM servers WHERE guild = :guild", guild=guild
        )
        if row is None:
            return Server(guild)
        return Server(
            guild=guild,
            channel=row["channel"],
            log=row["log"],
            trainers=tuple(json.loads(row["trainers"])),
            samplers=tuple(json.loads(row["samplers"])),
            jobs=row["jobs"],
            minutes=row["minutes"],
        )

    async def save(self, server: Server) -> None:
        """Keep a server's settings."""
        await self._database.execute(
            UPSERT_SERVER,
            guild=server.guild,
            channel=server.channel,
            log=server.log,
            trainers=json.dumps(server.trainers),
            samplers=json.dumps(server.samplers),
            jobs=server.jobs,
            minutes=server.minutes,
        )


@dataclass(frozen=True, slots=True)
class Report:
    """Somebody found that a picture should not be there."""

    id: int
    guild: int
    reporter: int
    job: int | None
    message: int
    reason: str
    at: float


class Reports:
    """What members reported to their moderators."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, guild: int, reporter: int, job: int | None, message: int, reason: str
    ) -> int:
        """Record a report and return its number."""
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
        """List a server's reports, newest first."""
        rows = await self._database.execute(
            "SELECT * FROM reports WHERE guild = :guild ORDER BY id DESC", guild=guild
        )
        return [Report(**dict(row)) for row in rows]
