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

MAX_ATTEMPTS = 3
DAY_SECONDS = 86400.0

SELECT_SAME_JOB = """
SELECT id FROM jobs WHERE owner = :owner AND kind = :kind AND dataset IS :dataset
  AND status IN ('queued', 'running', 'paused')
  AND json_remove(request, '$.seed') = json_remove(:request, '$.seed')
"""
INSERT_JOB = """
INSERT INTO jobs (kind, owner, guild, channel, request, base, dataset, style, private, created)
VALUES (:kind, :owner, :guild, :channel, :request, :base, :dataset, :style, :private, :now)
RETURNING *
"""
CLAIM_JOB = """
UPDATE jobs SET status = 'running', worker = :worker, lease = :now + :lease,
  fence = fence + 1, attempts = attempts + 1, started = coalesce(started, :now)
WHERE id = (
  SELECT id FROM jobs INDEXED BY jobs_queue WHERE status = 'queued'
    AND kind IN (SELECT value FROM json_each(:kinds))
    AND (:bases IS NULL OR base IN (SELECT value FROM json_each(:bases)))
  ORDER BY urgency, id LIMIT 1
) RETURNING *
"""
EXTEND_LEASE = """
UPDATE jobs SET lease = :until WHERE id = :job AND fence = :fence AND status = 'running'
RETURNING id
"""
END_RUN = """
UPDATE jobs SET status = :status, error = :error, lease = NULL, ended = :ended,
  requested = iif(:status = 'paused' AND NOT purge, NULL, requested)
WHERE id = :job AND fence = :fence AND status = 'running' RETURNING id
"""
MOVE_JOB = """
UPDATE jobs SET status = :status, error = :error, lease = NULL, ended = :ended,
  requested = :command, requested_by = coalesce(:by, requested_by),
  attempts = iif(status = 'paused', 0, :attempts) -- a pause is no crash
WHERE id = :job RETURNING *
"""
COUNT_RECENT_TRAININGS = """
SELECT count(*) AS asked FROM jobs WHERE owner = :owner AND guild = :guild AND kind = 'train'
  AND status <> 'cancelled' AND created > :since
"""
SUM_PLANNED_BYTES = """
SELECT sum(json_extract(request, '$.file_bytes')) AS bytes FROM jobs
WHERE owner = :owner AND kind = 'train' AND status IN ('queued', 'running', 'paused')
  AND style IS NULL
"""
COUNT_QUEUE_POSITION = """
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
            twice = (
                None if new.kind is Kind.SAMPLE else await tx.fetch_one(SELECT_SAME_JOB, **known)
            )
            if twice is not None:
                raise UserError("job_twice", job=twice["id"])
            rows = await tx.execute(
                INSERT_JOB,
                guild=new.guild,
                channel=new.channel,
                base=new.base,
                style=new.style,
                private=new.private,
                now=time.time(),
                **known,
            )
        return job_from_row(rows[0])

    async def get(self, number: int) -> Job:
        """Return any job."""
        return await _get(self._database, number)

    async def get_owned(self, number: int, owner: int) -> Job:
        """Return a member's job; somebody else's is as unknown as none."""
        found = await self.get(number)
        if found.owner != owner:
            raise UserError("job_unknown")
        return found

    async def list_for(self, owner: int, limit: int = 10) -> list[Job]:
        """List a member's jobs, newest first."""
        sql = "SELECT * FROM jobs WHERE owner = :owner ORDER BY id DESC LIMIT :limit"
        return [
            job_from_row(row)
            for row in await self._database.execute(sql, owner=owner, limit=limit)
        ]

    async def list_for_guild(self, guild: int, limit: int = 25) -> list[Job]:
        """List a server's jobs, newest first."""
        sql = "SELECT * FROM jobs WHERE guild = :guild ORDER BY id DESC LIMIT :limit"
        return [
            job_from_row(row)
            for row in await self._database.execute(sql, guild=guild, limit=limit)
        ]

    async def list_open(self) -> list[Job]:
        """List the jobs that have not ended, oldest first."""
        sql = "SELECT * FROM jobs WHERE status IN ('queued', 'running', 'paused') ORDER BY id"
        return [job_from_row(row) for row in await self._database.execute(sql)]

    async def queue_position(self, number: int) -> int:
        """Return a job's place in the queue: 1 is next, 0 is not waiting."""
        rows = await self._database.execute(COUNT_QUEUE_POSITION, job=number)
        return int(rows[0]["place"])

    async def count_recent_trainings(self, owner: int, guild: int) -> int:
        """Count the trainings a member asked for on a server in the last 24 hours."""
        since = time.time() - DAY_SECONDS
        rows = await self._database.execute(
            COUNT_RECENT_TRAININGS, owner=owner, guild=guild, since=since
        )
        return int(rows[0]["asked"])

    async def sum_planned_bytes(self, owner: int) -> int:
        """Sum up the bytes that a member's open trainings are expected to write."""
        rows = await self._database.execute(SUM_PLANNED_BYTES, owner=owner)
        return int(rows[0]["bytes"] or 0)

    async def add_watcher(self, number: int, member: int) -> None:
        """Tell a member when the job ends."""
        await self._database.execute(
            "INSERT OR IGNORE INTO watchers SELECT id, :member FROM jobs WHERE id = :job",
            job=number,
            member=member,
        )

    async def list_watchers(self, number: int) -> list[int]:
        """List who wants to be told."""
        sql = "SELECT member FROM watchers WHERE job = :job ORDER BY rowid"
        return [row["member"] for row in await self._database.execute(sql, job=number)]

    async def set_card(self, number: int, channel: int, message: int, thread: int | None) -> None:
        """Remember where the job's card is, posted just now."""
        await self._database.execute(
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
        row = await self._database.fetch_one(
            CLAIM_JOB,
            worker=worker,
            kinds=json.dumps(list(kinds)),
            bases=None if bases is None else json.dumps(list(bases)),
            lease=lease,
            now=time.time(),
        )
        return None if row is None else job_from_row(row)

    async def extend_lease(self, number: int, fence: int, lease: float = 30) -> bool:
        """Keep a claim for `lease` seconds more; False when it is lost."""
        until = time.time() + lease
        return bool(
            await self._database.execute(EXTEND_LEASE, job=number, fence=fence, until=until)
        )

    async def end_run(
        self, number: int, fence: int, status: Status, error: dict[str, Any] | None = None
    ) -> bool:
        """Record how a run ended, exactly once; False for a claim that is not the newest."""
        if not (status.ended or status is Status.PAUSED):
            raise ValueError(f"a run cannot end as {status}")
        rows = await self._database.execute(
            END_RUN,
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
            released = await _move(
                tx, found, _status_after_release(found), command=_command_left(found)
            )
        await self._trash.sweep()
        return released

    async def list_stalled(self) -> list[Job]:
        """List the running jobs whose lease ran out."""
        sql = "SELECT * FROM jobs WHERE status = 'running' AND lease < :now ORDER BY id"
        return [job_from_row(row) for row in await self._database.execute(sql, now=time.time())]

    # forgetting --------------------------------------------------------------------------------

    async def purge(self, number: int) -> bool:
        """Remove an ended job whose member has left; True when nothing of it is left."""
        async with self._database.transaction() as tx:
            row = await tx.fetch_one("SELECT status, purge FROM jobs WHERE id = :job", job=number)
            if row is not None and not (row["purge"] and row["status"] != "running"):
                return False
            await tx.execute("DELETE FROM styles WHERE job = :job", job=number)
            await tx.execute("DELETE FROM jobs WHERE id = :job", job=number)
        await self._trash.sweep()
        return True

    async def list_purgeable(self) -> list[int]:
        """List the jobs that wait for `purged`: their member has left, and they have ended."""
        sql = "SELECT id FROM jobs WHERE purge AND status <> 'running' ORDER BY id"
        return [row["id"] for row in await self._database.execute(sql)]


def job_from_row(row: sqlite3.Row) -> Job:
    """Read a job from its row."""
    values = {field.name: row[field.name] for field in fields(Job)}
    values["kind"] = Kind(row["kind"])
    values["status"] = Status(row["status"])
    values["request"] = json.loads(row["request"])
    values["private"] = bool(row["private"])
    values["requested"] = row["requested"] and JobCommand(row["requested"])
    values["error"] = row["error"] and json.loads(row["error"])
    return Job(**values)


def _status_after(status: Status, command: JobCommand) -> Status:
    """Return what a wish makes of a job at once."""
    if status is Status.RUNNING:
        return status
    if command is JobCommand.CANCEL:
        return Status.CANCELLED
    return Status.PAUSED if command is JobCommand.PAUSE else Status.QUEUED


def _status_after_release(found: Job) -> Status:
    """Return what becomes of a job whose worker died."""
    if found.requested is JobCommand.CANCEL:
        return Status.CANCELLED
    if found.attempts >= MAX_ATTEMPTS:
        return Status.FAILED
    return Status.PAUSED if found.requested is JobCommand.PAUSE else Status.QUEUED


def _command_left(found: Job) -> JobCommand | None:
    """Return the wish that a dead worker leaves to the next one."""
    return None if found.requested is JobCommand.PAUSE else found.requested


async def _get(connection: Connection, number: int) -> Job:
    row = await connection.fetch_one("SELECT * FROM jobs WHERE id = :job", job=number)
    if row is None:
        raise UserError("job_unknown")
    return job_from_row(row)


async def _move(
    tx: Connection,
    found: Job,
    status: Status,
    *,
    by: int | None = None,
    command: JobCommand | None = None,
) -> Job:
    failed = {"code": "worker_died", "attempts": found.attempts}
    rows = await tx.execute(
        MOVE_JOB,
        job=found.id,
        status=status,
        attempts=found.attempts,
        by=by,
        command=None if status is Status.PAUSED else command,
        error=json.dumps(failed) if status is Status.FAILED else None,
        ended=time.time() if status.ended else None,
    )
    return job_from_row(rows[0])
