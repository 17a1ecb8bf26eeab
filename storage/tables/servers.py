"""Settings of Discord servers, and the reports of their members."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from enum import StrEnum

from storage.errors import UserError
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

    async def block(self, guild: int, member: int) -> None:
        """Block a member on a server."""
        sql = "INSERT OR IGNORE INTO blocked (guild, member, at) VALUES (:guild, :member, :now)"
        await self._database.execute(sql, guild=guild, member=member, now=time.time())

    async def unblock(self, guild: int, member: int) -> bool:
        """Lift a member's block on a server; return whether there was one."""
        sql = "DELETE FROM blocked WHERE guild = :guild AND member = :member RETURNING member"
        return bool(await self._database.execute(sql, guild=guild, member=member))

    async def list_blocked(self, guild: int) -> list[int]:
        """List the members that are blocked on a server, the latest first."""
        sql = "SELECT member FROM blocked WHERE guild = :guild ORDER BY at DESC"
        return [row["member"] for row in await self._database.execute(sql, guild=guild)]


class Decision(StrEnum):
    """What moderators do about a report."""

    KEEP = "keep"  #: leave the picture as it is
    REMOVE = "remove"  #: delete the picture
    UNSHARE = "unshare"  #: take its style away from the server
    BLOCK = "block"  #: block its maker on the server


@dataclass(frozen=True, slots=True)
class Report:
    """A member's report of a picture, for the moderators."""

    id: int
    guild: int
    reporter: int
    job: int | None
    channel: int | None  #: None in reports of version 0.1
    message: int
    reason: str
    at: float


class Reports:
    """The table of reports."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self, guild: int, reporter: int, job: int | None, place: tuple[int, int], reason: str
    ) -> Report:
        """Add a report of a message, given as (channel, message), and return it."""
        rows = await self._database.execute(
            "INSERT INTO reports (guild, reporter, job, channel, message, reason, at)"
            " VALUES (:guild, :reporter, (SELECT id FROM jobs WHERE id = :job), :channel,"
            " :message, :reason, :at) RETURNING *",
            guild=guild,
            reporter=reporter,
            job=job,
            channel=place[0],
            message=place[1],
            reason=reason,
            at=time.time(),
        )
        return read_row(Report, rows[0])

    async def get(self, number: int, guild: int) -> Report:
        """Return a server's report; raise UserError("report_unknown") without one."""
        sql = "SELECT * FROM reports WHERE id = :number AND guild = :guild"
        row = await self._database.fetch_one(sql, number=number, guild=guild)
        if row is None:
            raise UserError("report_unknown")
        return read_row(Report, row)

    async def list_waiting(self, guild: int) -> list[Report]:
        """List a server's reports that nobody has decided about, newest first."""
        sql = (
            "SELECT * FROM reports WHERE guild = :guild"
            " AND NOT EXISTS (SELECT 1 FROM decisions WHERE report = reports.id) ORDER BY id DESC"
        )
        rows = await self._database.execute(sql, guild=guild)
        return [read_row(Report, row) for row in rows]

    async def decide(self, report: int, decision: Decision, moderator: int) -> None:
        """Record a decision; the first one of its kind stays."""
        await self._database.execute(
            "INSERT OR IGNORE INTO decisions (report, decision, moderator, at)"
            " VALUES (:report, :decision, :moderator, :now)",
            report=report,
            decision=decision,
            moderator=moderator,
            now=time.time(),
        )

    async def list_decisions(self, report: int) -> dict[Decision, int | None]:
        """Return who decided what about a report, the first decision first."""
        sql = "SELECT decision, moderator FROM decisions WHERE report = :report ORDER BY at"
        rows = await self._database.execute(sql, report=report)
        return {Decision(row["decision"]): row["moderator"] for row in rows}
