"""The queue of jobs: claimed by one statement, held by a lease, guarded by a fence.

A worker claims a job for some seconds (the lease) and renews the claim while it works. Each
claim has a number (the fence); writes that name an older one are refused, so that a worker that
was given up cannot disturb the next attempt.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from storage.errors import UserError
from storage.records import Job, JobCommand, Kind, NewJob, Release, Status
from storage.tables.claims import (
    CLAIM_JOB,
    CLAIM_WARM_JOB,
    NO_PREFERENCES,
    Preferences,
    select_jobs,
)
from storage.tables.database import Connection, Database, read_row
from storage.tables.staying import STAYS_HOME
from storage.tables.trash import ADD_TRACES, Trash

MAX_ATTEMPTS = 3  #: that crash a worker, without any progress in between
MAX_INTERRUPTIONS = 20  #: from outside, without any progress in between: else it never ends
MAX_LEASE_SECONDS = 60.0  #: of a claim
DAY_SECONDS = 86400.0

SELECT_SAME_JOB = """
SELECT id FROM jobs WHERE owner = :owner AND kind = :kind AND dataset IS :dataset
  AND (kind <> 'grade' OR style IS :style)
  AND status IN ('queued', 'running', 'paused')
  AND json_remove(request, '$.seed') = json_remove(:request, '$.seed')
"""
INSERT_JOB = f"""
INSERT INTO jobs
  (key, kind, owner, guild, channel, request, base, dataset, style, private,
   comparison, created, stays_home)
VALUES
  (lower(hex(randomblob(8))), :kind, :owner, :guild, :channel, :request, :base, :dataset, :style,
   :private, :comparison, :now, {STAYS_HOME})
RETURNING *
"""
EXTEND_LEASE = """
UPDATE jobs SET lease = :until WHERE id = :job AND fence = :fence AND status = 'running'
RETURNING id
"""
END_RUN = """
UPDATE jobs SET status = iif(withdrawn, 'failed', :status),
  error = iif(withdrawn, json_object('code', 'photos_withdrawn'), :error), lease = NULL,
  ended = iif(withdrawn, :now, :ended),
  requested = iif(:status = 'paused' AND NOT purge, NULL, requested)
WHERE id = :job AND fence = :fence AND status = 'running' RETURNING id
"""
MOVE_JOB = """
UPDATE jobs SET status = iif(withdrawn, 'failed', :status),
  error = iif(withdrawn, json_object('code', 'photos_withdrawn'), :error), lease = NULL,
  ended = iif(withdrawn, :now, :ended), requested = :command,
  requested_by = coalesce(:by, requested_by),
  attempts = iif(status = 'paused', 0, :attempts), -- resuming starts anew
  interruptions = iif(status = 'paused', 0, :interruptions)
WHERE id = :job RETURNING *
"""
RECORD_PROGRESS = """
UPDATE jobs SET attempts = 1, interruptions = 0
WHERE id = :job AND fence = :fence AND status = 'running'
"""
COUNT_RECENT_TRAININGS = """
SELECT count(*) AS trainings FROM (
  SELECT 1 FROM jobs WHERE owner = :owner AND guild = :guild AND kind = 'train'
  AND status <> 'cancelled' AND created BETWEEN :since AND :now
  UNION ALL SELECT 1 FROM comparison_entries AS e JOIN comparisons AS c ON c.id = e.comparison
  WHERE c.owner = :owner AND c.guild = :guild AND c.state = 'training' AND e.round < 0)
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
    """The table of jobs."""

    def __init__(self, database: Database, trash: Trash) -> None:
        self._database, self._trash = database, trash

    # the queue and its jobs --------------------------------------------------------------------

    async def queue(self, new: NewJob) -> Job:
        """Add a job; raise UserError("job_twice") if the same one is open.

        A sample may be queued twice, and seeds do not make trainings different.
        """
        values = asdict(new) | {"request": json.dumps(new.request, sort_keys=True)}
        async with self._database.transaction() as tx:
            if new.kind is not Kind.SAMPLE and (
                same := await tx.fetch_one(SELECT_SAME_JOB, **values)
            ):
                raise UserError("job_twice", job=same["id"])
            rows = await tx.execute(INSERT_JOB, **values, now=time.time())
        return job_from_row(rows[0])

    async def get(self, job_id: int) -> Job:
        """Return a job, whoever owns it; raise UserError("job_unknown") without one."""
        return await _get(self._database, job_id)

    async def get_owned(self, job_id: int, owner: int) -> Job:
        """Return a member's job; raise UserError("job_unknown") if it is not theirs."""
        job = await self.get(job_id)
        if job.owner != owner:
            raise UserError("job_unknown")
        return job

    async def list_for(self, owner: int, limit: int = 10) -> list[Job]:
        """Return a member's newest jobs, newest first."""
        sql = "SELECT * FROM jobs WHERE owner = :owner ORDER BY id DESC LIMIT :limit"
        rows = await self._database.execute(sql, owner=owner, limit=limit)
        return [job_from_row(row) for row in rows]

    async def list_for_guild(self, guild: int, limit: int = 25) -> list[Job]:
        """Return a server's newest jobs, newest first."""
        sql = "SELECT * FROM jobs WHERE guild = :guild ORDER BY id DESC LIMIT :limit"
        rows = await self._database.execute(sql, guild=guild, limit=limit)
        return [job_from_row(row) for row in rows]

    async def list_grades(self, style_id: int, owner: int) -> list[Job]:
        """Return the jobs by which a member has a style graded, newest first."""
        sql = (
            "SELECT * FROM jobs WHERE kind = 'grade' AND style = :style AND owner = :owner"
            " ORDER BY id DESC"
        )
        rows = await self._database.execute(sql, style=style_id, owner=owner)
        return [job_from_row(row) for row in rows]

    async def list_open(self) -> list[Job]:
        """Return the jobs that have not ended, oldest first."""
        sql = "SELECT * FROM jobs WHERE status IN ('queued', 'running', 'paused') ORDER BY id"
        return [job_from_row(row) for row in await self._database.execute(sql)]

    async def newest_id(self) -> int:
        """Return the id of the newest job, 0 before the first."""
        rows = await self._database.execute("SELECT coalesce(max(id), 0) AS id FROM jobs")
        return int(rows[0]["id"])

    async def queue_position(self, job_id: int) -> int:
        """Return a job's position in the queue: 1 is next; 0 if it does not wait."""
        rows = await self._database.execute(COUNT_QUEUE_POSITION, job=job_id)
        return int(rows[0]["place"])

    async def count_recent_trainings(self, owner: int, guild: int) -> int:
        """Count a member's trainings here in 24 hours, and those that comparisons will start."""
        now = time.time()
        rows = await self._database.execute(
            COUNT_RECENT_TRAININGS, owner=owner, guild=guild, since=now - DAY_SECONDS, now=now
        )
        return int(rows[0]["trainings"])

    async def sum_planned_bytes(self, owner: int) -> int:
        """Return the expected bytes of the styles that a member's open trainings will write."""
        rows = await self._database.execute(SUM_PLANNED_BYTES, owner=owner)
        return int(rows[0]["bytes"] or 0)

    async def add_watcher(self, job_id: int, member: int) -> None:
        """Add a member to those who are pinged when the job ends."""
        sql = "INSERT OR IGNORE INTO watchers SELECT id, :member FROM jobs WHERE id = :job"
        await self._database.execute(sql, job=job_id, member=member)

    async def list_watchers(self, job_id: int) -> list[int]:
        """Return the members to ping when the job ends."""
        sql = "SELECT member FROM watchers WHERE job = :job ORDER BY rowid"
        return [row["member"] for row in await self._database.execute(sql, job=job_id)]

    async def set_card(self, job_id: int, channel: int, message: int, thread: int | None) -> None:
        """Record where the job's card was just posted."""
        sql = (
            "UPDATE jobs SET channel = :channel, message = :message, thread = :thread,"
            " posted = :now WHERE id = :job"
        )
        await self._database.execute(
            sql, job=job_id, channel=channel, message=message, thread=thread, now=time.time()
        )

    async def set_thread(self, job_id: int, thread: int | None) -> None:
        """Record a job's thread; a private job's card is in it, too."""
        sql = (
            "UPDATE jobs SET thread = :thread,"
            " channel = iif(private, coalesce(:thread, channel), channel) WHERE id = :job"
        )
        await self._database.execute(sql, job=job_id, thread=thread)

    # commands ----------------------------------------------------------------------------------

    async def send_command(self, job_id: int, command: JobCommand, by: int) -> Job:
        """Obey a command at once if the job does not run, else leave it to the worker.

        Raises UserError: "job_unknown", "job_ended", or "job_unstarted" for a finish too early.
        """
        async with self._database.transaction() as tx:
            moved = await send_command(tx, job_id, command, by)
        await self._trash.sweep()
        return moved

    async def resume(self, job_id: int, by: int) -> Job:
        """Put a paused job back into the queue; does nothing to one that waits or runs."""
        async with self._database.transaction() as tx:
            job = await _get(tx, job_id)
            if job.status.ended:
                raise UserError("job_ended", job=job_id)
            if job.status is not Status.PAUSED:
                return job
            return await _move(tx, job, Status.QUEUED, by=by)

    # workers -----------------------------------------------------------------------------------

    async def claim(
        self,
        worker: str,
        kinds: Sequence[Kind],
        bases: Sequence[str] | None = None,
        lease: float = 30,
        preferred: Preferences = NO_PREFERENCES,
    ) -> Job | None:
        """Claim the next job for `lease` seconds; None if there is none.

        Samples come first, then captions, then trainings; among these the oldest. What can
        run elsewhere only is left to others. A job whose base is warm, in the worker's memory,
        comes first, but before none that has waited WARM_SECONDS longer.
        """
        row = await self._database.fetch_one(
            CLAIM_WARM_JOB if preferred.warm else CLAIM_JOB,
            worker=worker,
            lease=lease,
            now=time.time(),
            **select_jobs(kinds, bases, preferred),
        )
        return None if row is None else job_from_row(row)

    async def extend_lease(self, job_id: int, fence: int, lease: float = 30) -> bool:
        """Renew a claim for `lease` seconds; False if the claim was lost."""
        until = time.time() + lease
        return bool(
            await self._database.execute(EXTEND_LEASE, job=job_id, fence=fence, until=until)
        )

    async def end_run(
        self, job_id: int, fence: int, status: Status, error: dict[str, Any] | None = None
    ) -> bool:
        """Record how a run ended, exactly once; False if the claim was lost."""
        if not (status.ended or status is Status.PAUSED):
            raise ValueError(f"a run cannot end as {status}")
        rows = await self._database.execute(
            END_RUN,
            job=job_id,
            fence=fence,
            status=status,
            error=None if error is None else json.dumps(error),
            ended=time.time() if status.ended else None,
            now=time.time(),
        )
        await self._trash.sweep()
        return bool(rows)

    async def record_progress(self, job_id: int, fence: int) -> None:
        """Record that a run got further: the crashes and interruptions before no longer count."""
        await self._database.execute(RECORD_PROGRESS, job=job_id, fence=fence)

    async def release(self, job_id: int, fence: int, reason: Release = Release.CRASHED) -> Job:
        """End a claim whose worker is gone: queue the job again.

        Fail it after MAX_ATTEMPTS crashes, or MAX_INTERRUPTIONS, without progress.
        """
        async with self._database.transaction() as tx:
            job = await _get(tx, job_id)
            if job.fence != fence or job.status is not Status.RUNNING:
                return job
            if reason is not Release.CRASHED:
                interruptions = job.interruptions + (reason is Release.INTERRUPTED)
                job = replace(job, attempts=job.attempts - 1, interruptions=interruptions)
            released = await _move(tx, job, _status_after_release(job), command=_command_left(job))
        await self._trash.sweep()
        return released

    async def list_stalled(self) -> list[Job]:
        """Return the running jobs whose lease ran out, or that a clock set back left behind."""
        sql = "SELECT * FROM jobs WHERE status = 'running' AND lease NOT BETWEEN :now AND :most"
        now = time.time()
        rows = await self._database.execute(sql, now=now, most=now + MAX_LEASE_SECONDS)
        return [job_from_row(row) for row in rows]

    # members who left --------------------------------------------------------------------------

    async def purge(self, job_id: int) -> bool:
        """Delete an ended job whose member has left; return whether the job is gone."""
        async with self._database.transaction() as tx:
            row = await tx.fetch_one("SELECT status, purge FROM jobs WHERE id = :job", job=job_id)
            if row is not None and not (row["purge"] and row["status"] != "running"):
                return False
            await tx.execute("DELETE FROM styles WHERE job = :job", job=job_id)
            await tx.execute("DELETE FROM jobs WHERE id = :job", job=job_id)
            if row is not None:
                await tx.execute(ADD_TRACES)
        await self._trash.sweep()
        return True

    async def list_purgeable(self) -> list[Job]:
        """Return the ended jobs whose member has left."""
        sql = "SELECT * FROM jobs WHERE purge AND status <> 'running' ORDER BY id"
        return [job_from_row(row) for row in await self._database.execute(sql)]


def job_from_row(row: sqlite3.Row) -> Job:
    """Return the job of a row."""
    return read_row(
        Job,
        row,
        kind=Kind(row["kind"]),
        status=Status(row["status"]),
        request=json.loads(row["request"]),
        private=bool(row["private"]),
        requested=row["requested"] and JobCommand(row["requested"]),
        error=row["error"] and json.loads(row["error"]),
    )


async def send_command(tx: Connection, job_id: int, command: JobCommand, by: int) -> Job:
    """Do what `Jobs.send_command` does, as a part of a transaction."""
    job = await _get(tx, job_id)
    if job.status.ended:
        raise UserError("job_ended", job=job_id)
    if command is JobCommand.FINISH and job.started is None:
        raise UserError("job_unstarted", job=job_id)
    return await _move(tx, job, _status_after(job.status, command), by=by, command=command)


def _status_after(status: Status, command: JobCommand) -> Status:
    """Return a job's status just after a command."""
    if status is Status.RUNNING:
        return status
    if command is JobCommand.CANCEL:
        return Status.CANCELLED
    return Status.PAUSED if command is JobCommand.PAUSE else Status.QUEUED


def _status_after_release(job: Job) -> Status:
    """Return the status of a job whose worker died."""
    if job.requested is JobCommand.CANCEL:
        return Status.CANCELLED
    if job.attempts >= MAX_ATTEMPTS or job.interruptions >= MAX_INTERRUPTIONS:
        return Status.FAILED
    return Status.PAUSED if job.requested is JobCommand.PAUSE else Status.QUEUED


def _command_left(job: Job) -> JobCommand | None:
    """Return the command that the next worker must obey; a pause is done already."""
    return None if job.requested is JobCommand.PAUSE else job.requested


async def _get(connection: Connection, job_id: int) -> Job:
    row = await connection.fetch_one("SELECT * FROM jobs WHERE id = :job", job=job_id)
    if row is None:
        raise UserError("job_unknown")
    return job_from_row(row)


async def _move(
    tx: Connection,
    job: Job,
    status: Status,
    *,
    by: int | None = None,
    command: JobCommand | None = None,
) -> Job:
    error = {"code": "worker_died", "attempts": job.attempts + job.interruptions}
    rows = await tx.execute(
        MOVE_JOB,
        job=job.id,
        status=status,
        attempts=job.attempts,
        interruptions=job.interruptions,
        by=by,
        command=None if status is Status.PAUSED else command,
        error=json.dumps(error) if status is Status.FAILED else None,
        ended=time.time() if status.ended else None,
        now=time.time(),
    )
    return job_from_row(rows[0])
