"""The queue: a table, one statement to claim, a lease with heartbeats and a fence."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from storage.errors import UserError
from storage.records import Job, JobCommand, Kind, NewJob, Status
from storage.tables.database import Connection, Database
from storage.tables.trash import Trash

ATTEMPTS = 3
DAY = 86400.0

TWICE = """
SELECT id FROM jobs WHERE owner = :owner AND kind = :kind AND dataset IS :dataset
  AND status IN ('queued', 'running', 'paused')
  AND json_remove(request, '$.seed') = json_remove(:request, '$.seed')
"""
QUEUE = """
INSERT INTO jobs (kind, owner, guild, channel, request, base, dataset, style, private, created)
VALUES (:kind, :owner, :guild, :channel, :request, :base, :dataset, :style, :private, :now)
RETURNING *
"""
CLAIM = """
UPDATE jobs SET status = 'running', worker = :worker, lease = :now + :lease,
  fence = fence + 1, attempts = attempts + 1, started = coalesce(started, :now)
WHERE id = (
  SELECT id FROM jobs INDEXED BY jobs_queue WHERE status = 'queued'
    AND kind IN (SELECT value FROM json_each(:kinds))
    AND (:bases IS NULL OR base IN (SELECT value FROM json_each(:bases)))
  ORDER BY urgency, id LIMIT 1
) RETURNING *
"""
BEAT = """
UPDATE jobs SET lease = :until WHERE id = :job AND fence = :fence AND status = 'running'
RETURNING id
"""
SETTLE = """
UPDATE jobs SET status = :status, error = :error, lease = NULL, ended = :ended,
  requested = iif(:status = 'paused' AND NOT purge, NULL, requested)
WHERE id = :job AND fence = :fence AND status = 'running' RETURNING id
"""
MOVE = """
UPDATE jobs SET status = :status, error = :error, lease = NULL, ended = :ended,
  requested = :command, requested_by = coalesce(:by, requested_by),
  attempts = iif(status = 'paused', 0, :attempts) -- a pause is no crash
WHERE id = :job RETURNING *
"""
TODAY = """
SELECT count(*) AS asked FROM jobs WHERE owner = :owner AND guild = :guild AND kind = 'train'
  AND status <> 'cancelled' AND created > :since
"""
PLANNED = """
SELECT sum(json_extract(request, '$.file_bytes')) AS bytes FROM jobs
WHERE owner = :owner AND kind = 'train' AND status IN ('queued', 'running', 'paused')
  AND style IS NULL
"""
PLACE = """
SELECT count(*) AS place FROM jobs AS other, (SELECT * FROM jobs WHERE id = :job) AS mine
WHERE other.status = 'queued' AND mine.status = 'queued'
  AND (other.urgency, other.id) <= (mine.urgency, mine.id)
"""


class Jobs:
    """Everything that was asked of the trainer, and where it stands."""

    def __init__(self, database: Database, trash: Trash) -> None:
        self._database = database
        self._trash = trash

    # asking ------------------------------------------------------------------------------------

    async def queue(self, new: NewJob) -> Job:
        """Put a job into the queue, unless the same one is there already."""
        known = {
            "kind": new.kind,
            "owner": new.owner,
            "dataset": new.dataset,
            "request": json.dumps(new.request, sort_keys=True),
        }
        async with self._database.transaction() as tx:
            twice = None if new.kind is Kind.SAMPLE else await tx.one(TWICE, **known)
            if twice is not None:
                raise UserError("job_twice", job=twice["id"])
            rows = await tx.all(
                QUEUE,
                guild=new.guild,
                channel=new.channel,
                base=new.base,
                style=new.style,
                private=new.private,
                now=time.time(),
                **known,
            )
        return job(rows[0])

    async def get(self, number: int) -> Job:
        """Return any job."""
        return await _get(self._database, number)

    async def mine(self, number: int, owner: int) -> Job:
        """Return a member's job; somebody else's is as unknown as none."""
        found = await self.get(number)
        if found.owner != owner:
            raise UserError("job_unknown")
        return found

    async def of(self, owner: int, limit: int = 10) -> list[Job]:
        """List a member's jobs, newest first."""
        sql = "SELECT * FROM jobs WHERE owner = :owner ORDER BY id DESC LIMIT :limit"
        return [job(row) for row in await self._database.all(sql, owner=owner, limit=limit)]

    async def of_guild(self, guild: int, limit: int = 25) -> list[Job]:
        """List a server's jobs, newest first."""
        sql = "SELECT * FROM jobs WHERE guild = :guild ORDER BY id DESC LIMIT :limit"
        return [job(row) for row in await self._database.all(sql, guild=guild, limit=limit)]

    async def open(self) -> list[Job]:
        """List the jobs that have not ended, oldest first."""
        sql = "SELECT * FROM jobs WHERE status IN ('queued', 'running', 'paused') ORDER BY id"
        return [job(row) for row in await self._database.all(sql)]

    async def place(self, number: int) -> int:
        """Return a job's place in the queue: 1 is next, 0 is not waiting."""
        rows = await self._database.all(PLACE, job=number)
        return int(rows[0]["place"])

    async def today(self, owner: int, guild: int) -> int:
        """Count the trainings a member asked for on a server in the last 24 hours."""
        since = time.time() - DAY
        rows = await self._database.all(TODAY, owner=owner, guild=guild, since=since)
        return int(rows[0]["asked"])

    async def planned(self, owner: int) -> int:
        """Sum up the bytes that a member's open trainings are expected to write."""
        rows = await self._database.all(PLANNED, owner=owner)
        return int(rows[0]["bytes"] or 0)

    async def watch(self, number: int, member: int) -> None:
        """Tell a member when the job ends."""
        await self._database.all(
            "INSERT OR IGNORE INTO watchers SELECT id, :member FROM jobs WHERE id = :job",
            job=number,
            member=member,
        )

    async def watchers(self, number: int) -> list[int]:
        """List who wants to be told."""
        sql = "SELECT member FROM watchers WHERE job = :job ORDER BY rowid"
        return [row["member"] for row in await self._database.all(sql, job=number)]

    async def card(self, number: int, channel: int, message: int, thread: int | None) -> None:
        """Remember where the job's card is, posted just now."""
        await self._database.all(
            "UPDATE jobs SET channel = :channel, message = :message, thread = :thread,"
            " posted = :now WHERE id = :job",
            job=number,
            channel=channel,
            message=message,
            thread=thread,
            now=time.time(),
        )

    # commands ----------------------------------------------------------------------------------

    async def send_command(self, number: int, command: JobCommand, by: int) -> Job:
        """Ask something of a job: at once where nothing runs, else at the next step boundary."""
        async with self._database.transaction() as tx:
            found = await _get(tx, number)
            if found.status.ended:
                raise UserError("job_ended", job=number)
            if command is JobCommand.FINISH and found.started is None:
                raise UserError("job_unstarted", job=number)
            moved = await _move(
                tx, found, _status_after(found.status, command), by=by, command=command
            )
        await self._trash.sweep()
        return moved

    async def resume(self, number: int, by: int) -> Job:
        """Put a paused job back into the queue; one that waits or runs stays as it is."""
        async with self._database.transaction() as tx:
            found = await _get(tx, number)
            if found.status.ended:
                raise UserError("job_ended", job=number)
            if found.status is not Status.PAUSED:
                return found
            return await _move(tx, found, Status.QUEUED, by=by)

    # working -----------------------------------------------------------------------------------

    async def claim(
        self,
        worker: str,
        kinds: Sequence[Kind],
        bases: Sequence[str] | None = None,
        lease: float = 30,
    ) -> Job | None:
        """Take the next job for a worker: samples, then captions, then trainings; then oldest."""
        row = await self._database.one(
            CLAIM,
            worker=worker,
            kinds=json.dumps(list(kinds)),
            bases=None if bases is None else json.dumps(list(bases)),
            lease=lease,
            now=time.time(),
        )
        return None if row is None else job(row)

    async def beat(self, number: int, fence: int, lease: float = 30) -> bool:
        """Keep a claim for `lease` seconds more; False when it is lost."""
        until = time.time() + lease
        return bool(await self._database.all(BEAT, job=number, fence=fence, until=until))

    async def settle(
        self, number: int, fence: int, status: Status, error: dict[str, Any] | None = None
    ) -> bool:
        """Record how a run ended, exactly once; False for a claim that is not the newest."""
        if not (status.ended or status is Status.PAUSED):
            raise ValueError(f"a run cannot end as {status}")
        rows = await self._database.all(
            SETTLE,
            job=number,
            fence=fence,
            status=status,
            error=None if error is None else json.dumps(error),
            ended=time.time() if status.ended else None,
        )
        await self._trash.sweep()
        return bool(rows)

    async def release(self, number: int, fence: int, *, counted: bool = True) -> Job:
        """Take a job back whose worker died: to the queue, or to the end after three attempts.

        One that a living worker put down goes to the queue; that attempt is not `counted`.
        """
        async with self._database.transaction() as tx:
            found = await _get(tx, number)
            if found.fence != fence or found.status is not Status.RUNNING:
                return found
            if not counted:
                found = replace(found, attempts=found.attempts - 1)
            released = await _move(tx, found, _released(found), command=_command_left(found))
        await self._trash.sweep()
        return released

    async def stalled(self) -> list[Job]:
        """List the running jobs whose lease ran out."""
        sql = "SELECT * FROM jobs WHERE status = 'running' AND lease < :now ORDER BY id"
        return [job(row) for row in await self._database.all(sql, now=time.time())]

    # forgetting --------------------------------------------------------------------------------

    async def purged(self, number: int) -> bool:
        """Remove an ended job whose member has left; True when nothing of it is left."""
        async with self._database.transaction() as tx:
            row = await tx.one("SELECT status, purge FROM jobs WHERE id = :job", job=number)
            if row is not None and not (row["purge"] and row["status"] != "running"):
                return False
            await tx.all("DELETE FROM styles WHERE job = :job", job=number)
            await tx.all("DELETE FROM jobs WHERE id = :job", job=number)
        await self._trash.sweep()
        return True

    async def doomed(self) -> list[int]:
        """List the jobs that wait for `purged`: their member has left, and they have ended."""
        sql = "SELECT id FROM jobs WHERE purge AND status <> 'running' ORDER BY id"
        return [row["id"] for row in await self._database.all(sql)]


def job(row: sqlite3.Row) -> Job:
    """Read a job from its row."""
    values = {field.name: row[field.name] for field in fields(Job)}
    values["kind"] = Kind(row["kind"])
    values["status"] = Status(row["status"])
    values["request"] = json.loads(row["request"])
    values["private"] = bool(row["private"])
    values["requested"] = row["requested"] and JobCommand(row["requested"])
    values["error"] = row["error"] and json.loads(row["error"])
    return Job(**values)


def _status_after(status: Status, wish: JobCommand) -> Status:
    """Return what a wish makes of a job at once."""
    if status is Status.RUNNING:
        return status
    if wish is JobCommand.CANCEL:
        return Status.CANCELLED
    return Status.PAUSED if wish is JobCommand.PAUSE else Status.QUEUED


def _released(found: Job) -> Status:
    """Return what becomes of a job whose worker died."""
    if found.requested is JobCommand.CANCEL:
        return Status.CANCELLED
    if found.attempts >= ATTEMPTS:
        return Status.FAILED
    return Status.PAUSED if found.requested is JobCommand.PAUSE else Status.QUEUED


def _command_left(found: Job) -> JobCommand | None:
    """Return the wish that a dead worker leaves to the next one."""
    return None if found.requested is JobCommand.PAUSE else found.requested


async def _get(connection: Connection, number: int) -> Job:
    row = await connection.one("SELECT * FROM jobs WHERE id = :job", job=number)
    if row is None:
        raise UserError("job_unknown")
    return job(row)


async def _move(
    tx: Connection,
    found: Job,
    status: Status,
    *,
    by: int | None = None,
    command: JobCommand | None = None,
) -> Job:
    failed = {"code": "worker_died", "attempts": found.attempts}
    rows = await tx.all(
        MOVE,
        job=found.id,
        status=status,
        attempts=found.attempts,
        by=by,
        command=None if status is Status.PAUSED else command,
        error=json.dumps(failed) if status is Status.FAILED else None,
        ended=time.time() if status.ended else None,
    )
    return job(rows[0])
