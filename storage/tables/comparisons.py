"""Comparisons: the same photos trained with several recipes, as one thing.

Each training is an ordinary job that knows its comparison. The scheduler moves it on
(`training.scheduler.comparing`), by what `storage.planning.comparison` decides.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from storage.errors import UserError
from storage.planning.comparison import Grading, Stage
from storage.records import JobCommand, Kind, NewJob
from storage.tables.database import Connection, Database, read_row
from storage.tables.jobs import INSERT_JOB, send_command
from storage.tables.posts import PostKind
from storage.tables.trash import Trash

INSERT_COMPARISON = """
INSERT INTO comparisons (kind, owner, guild, channel, dataset, name, shares, created)
VALUES (:kind, :owner, :guild, :channel, :dataset, :name, :shares, :now) RETURNING id
"""
INSERT_ENTRY = """
INSERT INTO comparison_entries (comparison, number, label, base, request)
VALUES (:comparison, :number, :label, :base, :request)
"""
INSERT_POST = """
INSERT INTO posts (kind, member, guild, event, comparison, created)
VALUES (:kind, :owner, :guild, 0, :comparison, :now)
"""
SELECT_ENTRIES = """
SELECT e.*, j.status, j.style AS style FROM comparison_entries AS e
LEFT JOIN jobs AS j ON j.id = e.job WHERE e.comparison = :id ORDER BY e.number
"""
SELECT_OPEN_JOBS = """
SELECT id FROM jobs WHERE comparison = :id AND status IN ('queued', 'running', 'paused')
"""
#: styles that were trained a part of the way, as only a sweep does
DELETE_PARTS = """
DELETE FROM styles WHERE job IN (
  SELECT id FROM jobs WHERE comparison = :id AND json_extract(request, '$.stop_after') > 0)
"""
IS_OPEN = "state IN ('training', 'judging')"
END = f"""
UPDATE comparisons SET state = :state, result = :result, ended = :now
WHERE id = :id AND {IS_OPEN} RETURNING id
"""


class ComparisonKind(StrEnum):
    """Why recipes are compared."""

    COMPARE = "compare"  #: a member asked which is better
    SWEEP = "sweep"  #: to find the best settings by successive halving


class ComparisonState(StrEnum):
    """How far a comparison is."""

    TRAINING = "training"
    JUDGING = "judging"  #: its pictures are drawn and graded
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self not in {ComparisonState.TRAINING, ComparisonState.JUDGING}


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A recipe of a comparison that is not stored yet."""

    label: str  #: what tells it from the others, in a few words
    request: Mapping[str, Any]  #: a whole `TrainRequest`, as JSON


@dataclass(frozen=True, slots=True)
class NewComparison:
    """A comparison that is not stored yet."""

    kind: ComparisonKind
    owner: int
    guild: int
    channel: int
    dataset: int
    name: str  #: of the dataset
    entries: Sequence[NewEntry]
    #: what part of its steps an entry has after each round; the better half goes on to the next
    shares: tuple[float, ...] = (1.0,)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison, without its entries."""

    id: int
    kind: ComparisonKind
    owner: int
    guild: int
    channel: int
    dataset: int
    name: str
    shares: tuple[float, ...]
    state: ComparisonState
    round: int
    judging: int | None  #: the job that draws and grades in this round, or did in the last one
    result: dict[str, Any] | None  #: more that was measured, or the error of a failed one
    created: float
    ended: float | None

    @property
    def is_last_round(self) -> bool:
        """Whether no other round follows."""
        return self.round + 1 >= len(self.shares)


@dataclass(frozen=True, slots=True)
class Entry:
    """A recipe of a comparison, and how far it is."""

    comparison: int
    number: int
    label: str
    base: str
    request: dict[str, Any]
    job: int | None  #: its newest training
    round: int  #: that one; -1 before the first
    out: int | None  #: the round after which it did not go on
    style: int | None  #: that the training has made
    status: str | None  #: of the training
    grades: Grading | None  #: of its last round

    def find_stage(self, number: int) -> Stage:
        """Return how far it is in a round."""
        if self.round < number:
            return Stage.WAITING
        if self.status in {"queued", "running", "paused"}:
            return Stage.OPEN
        return Stage.TRAINED if self.status == "done" and self.style else Stage.FAILED


class Comparisons:
    """The tables of comparisons and their entries."""

    def __init__(self, database: Database, trash: Trash) -> None:
        self._database, self._trash = database, trash

    async def add(self, new: NewComparison) -> Comparison:
        """Store a comparison; the scheduler trains its entries.

        Raises UserError("comparison_busy") while another one of its owner is open.
        """
        facts = {"owner": new.owner, "guild": new.guild, "now": time.time()}
        async with self._database.transaction() as tx:
            sql = f"SELECT id FROM comparisons WHERE owner = :owner AND {IS_OPEN}"
            if await tx.execute(sql, owner=new.owner):
                raise UserError("comparison_busy")
            rows = await tx.execute(
                INSERT_COMPARISON, kind=new.kind, channel=new.channel, dataset=new.dataset,
                name=new.name, shares=json.dumps(new.shares), **facts,
            )  # fmt: skip
            number = int(rows[0]["id"])
            for at, entry in enumerate(new.entries):
                request = json.dumps(entry.request, sort_keys=True)
                values = {"label": entry.label, "base": entry.request["base"], "request": request}
                await tx.execute(INSERT_ENTRY, comparison=number, number=at, **values)
            await tx.execute(INSERT_POST, kind=PostKind.COMPARISON, comparison=number, **facts)
        return await self.get(number)

    async def get(self, number: int) -> Comparison:
        """Return a comparison; raise UserError("comparison_unknown") without one."""
        row = await self._database.fetch_one("SELECT * FROM comparisons WHERE id = :id", id=number)
        if row is None:
            raise UserError("comparison_unknown")
        return comparison_from_row(row)

    async def list_entries(self, number: int) -> list[Entry]:
        """List a comparison's entries by their numbers."""
        rows = await self._database.execute(SELECT_ENTRIES, id=number)
        return [entry_from_row(row) for row in rows]

    async def list_open(self) -> list[Comparison]:
        """List the comparisons that have not ended, oldest first."""
        sql = f"SELECT * FROM comparisons WHERE {IS_OPEN} ORDER BY id"
        return [comparison_from_row(row) for row in await self._database.execute(sql)]

    async def list_unretired(self) -> list[Comparison]:
        """List the comparisons whose card does not yet show how they ended, oldest first."""
        sql = "SELECT * FROM comparisons WHERE NOT retired ORDER BY id"
        return [comparison_from_row(row) for row in await self._database.execute(sql)]

    async def retire(self, number: int) -> None:
        """Record that a comparison's card shows how it ended."""
        sql = "UPDATE comparisons SET retired = 1 WHERE id = :id"
        await self._database.execute(sql, id=number)

    # its course ----------------------------------------------------------------------------------

    async def train(self, comparison: Comparison, entry: Entry, request: dict[str, Any]) -> None:
        """Queue an entry's training of this round, unless it is queued."""
        async with self._database.transaction() as tx:
            job = await _queue(tx, comparison, Kind.TRAIN, request, entry.base)
            sql = (
                "UPDATE comparison_entries SET job = :job, round = :round"
                " WHERE comparison = :id AND number = :number"
            )
            facts = {"id": comparison.id, "round": comparison.round, "number": entry.number}
            await tx.execute(sql, job=job, **facts)

    async def judge(self, comparison: Comparison, request: dict[str, Any]) -> None:
        """Queue the job that draws with the styles of this round and grades them."""
        async with self._database.transaction() as tx:
            job = await _queue(tx, comparison, Kind.GRADE, request, request["base"])
            sql = "UPDATE comparisons SET state = 'judging', judging = :job WHERE id = :id"
            await tx.execute(sql, job=job, id=comparison.id)

    async def grade(
        self, comparison: Comparison, grades: Mapping[int, Grading], kept: Sequence[int]
    ) -> None:
        """Store the grades of a round and go on to the next; `kept` are the entries that go on."""
        async with self._database.transaction() as tx:
            await _set_grades(tx, comparison, grades, kept)
            sql = "UPDATE comparisons SET state = 'training', round = round + 1 WHERE id = :id"
            await tx.execute(sql, id=comparison.id)

    async def finish(
        self, comparison: Comparison, grades: Mapping[int, Grading], result: dict[str, Any]
    ) -> None:
        """Store the grades of the last round, and end; the bot posts what it shows."""
        async with self._database.transaction() as tx:
            await _set_grades(tx, comparison, grades, [*grades])
            await _end(tx, comparison, ComparisonState.DONE, result)
        await self._trash.sweep()

    async def fail(self, comparison: Comparison, error: dict[str, Any] | None) -> None:
        """End a comparison without a result; the styles that are finished stay."""
        async with self._database.transaction() as tx:
            await _end(tx, comparison, ComparisonState.FAILED, {"error": error})
        await self._trash.sweep()

    async def cancel(self, number: int, by: int) -> None:
        """End a comparison, and cancel what is open of it; does nothing to one that has ended.

        The styles that are finished stay.
        """
        async with self._database.transaction() as tx:
            facts = {"state": ComparisonState.CANCELLED, "result": "null", "now": time.time()}
            if not await tx.execute(END, id=number, **facts):
                return
            for row in await tx.execute(SELECT_OPEN_JOBS, id=number):
                await send_command(tx, row["id"], JobCommand.CANCEL, by)
            await tx.execute(DELETE_PARTS, id=number)
        await self._trash.sweep()


def comparison_from_row(row: sqlite3.Row) -> Comparison:
    """Return the comparison of a row."""
    return read_row(
        Comparison,
        row,
        kind=ComparisonKind(row["kind"]),
        state=ComparisonState(row["state"]),
        shares=tuple(json.loads(row["shares"])),
        result=json.loads(row["result"]),
    )


def entry_from_row(row: sqlite3.Row) -> Entry:
    """Return the entry of a row."""
    grades = json.loads(row["grades"])
    read = {"request": json.loads(row["request"]), "grades": grades and Grading.from_json(grades)}
    return read_row(Entry, row, **read)


async def _queue(
    tx: Connection, comparison: Comparison, kind: Kind, request: dict[str, Any], base: str
) -> int:
    """Queue a job of a comparison and return its number."""
    channel = comparison.channel if kind is Kind.TRAIN else 0
    place = comparison.owner, comparison.guild, channel
    new = NewJob(kind, *place, request, base, comparison.dataset, comparison=comparison.id)
    values = asdict(new) | {"request": json.dumps(request, sort_keys=True)}
    return int((await tx.execute(INSERT_JOB, **values, now=time.time()))[0]["id"])


async def _set_grades(
    tx: Connection, comparison: Comparison, grades: Mapping[int, Grading], kept: Sequence[int]
) -> None:
    """Store the grades of a round; those that are not kept, or have none, did not go on."""
    for number, each in grades.items():
        sql = "UPDATE comparison_entries SET grades = :grades WHERE comparison = :id"
        said = json.dumps(asdict(each))
        await tx.execute(
            f"{sql} AND number = :number", grades=said, id=comparison.id, number=number
        )
    sql = (
        "UPDATE comparison_entries SET out = :round WHERE comparison = :id AND out IS NULL"
        " AND number NOT IN (SELECT value FROM json_each(:kept))"
    )
    facts = {"id": comparison.id, "round": comparison.round, "kept": json.dumps([*kept])}
    await tx.execute(sql, **facts)


async def _end(
    tx: Connection, comparison: Comparison, state: ComparisonState, result: dict[str, Any]
) -> None:
    """End a comparison that has not ended, and have that told.

    The styles that were trained a part of the way go.
    """
    facts = {"state": state, "result": json.dumps(result), "now": time.time()}
    if await tx.execute(END, id=comparison.id, **facts):
        place = {"owner": comparison.owner, "guild": comparison.guild}
        kind, now = PostKind.COMPARED, time.time()
        await tx.execute(INSERT_POST, kind=kind, comparison=comparison.id, now=now, **place)
        await tx.execute(DELETE_PARTS, id=comparison.id)
