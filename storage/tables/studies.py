"""Studies: two ways to draw the same prompts and seeds, which a server's members compare blind.

Nobody reads a vote before the study closes. Then the votes become ballots without names.
"""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from storage.errors import UserError
from storage.planning.study import Ballot, Choice, StudyResult, summarise
from storage.records import NewJob
from storage.tables.database import Connection, Database, read_row
from storage.tables.jobs import INSERT_JOB
from storage.tables.posts import PostKind
from storage.tables.trash import Trash

HOUR_SECONDS = 3600
SELECT_STUDIES = """
SELECT s.*, (
  SELECT json_group_array(json_object('style', style, 'name', name, 'strength', strength))
  FROM (SELECT * FROM study_sides WHERE study = s.id ORDER BY side)) AS sides
FROM studies AS s
"""
INSERT_STUDY = """
INSERT INTO studies (key, owner, guild, channel, question, hours, created)
VALUES (lower(hex(randomblob(16))), :owner, :guild, :channel, :question, :hours, :now)
RETURNING id
"""
INSERT_SIDE = """
INSERT INTO study_sides (study, side, style, name, strength)
VALUES (:study, :side, :style, :name, :strength)
"""
INSERT_PAIR = """
INSERT INTO study_pairs (study, prompt, seed, first, second, picture, attention)
VALUES (:study, :prompt, :seed, :first, :second, :picture, :attention)
"""
INSERT_POST = """
INSERT INTO posts (kind, member, guild, event, study, created)
VALUES (:kind, :owner, :guild, 0, :study, :now)
"""
MOVE_POST = """
UPDATE posts SET state = 'done', uncertain = 0, channel = :channel, message = :message
WHERE study = :study AND kind = 'study_open'
"""
#: the jobs of a study of the outer query
ITS_JOBS = """
SELECT 1 FROM study_pairs AS p JOIN jobs AS j ON j.id IN (p.first, p.second)
WHERE p.study = studies.id
"""
OPEN_DRAWN = f"""
UPDATE studies SET state = 'open', closes = :now + hours * {HOUR_SECONDS}
WHERE state = 'drawing' AND NOT EXISTS ({ITS_JOBS} AND j.status <> 'done') RETURNING id
"""
FAIL_UNDRAWN = f"""
UPDATE studies SET state = 'failed', retired = 1, result = json_object('error', json(coalesce((
  SELECT j.error FROM study_pairs AS p JOIN jobs AS j ON j.id IN (p.first, p.second)
  WHERE p.study = studies.id AND j.error IS NOT NULL LIMIT 1), 'null')))
WHERE state = 'drawing' AND EXISTS ({ITS_JOBS} AND j.status IN ('failed', 'cancelled'))
RETURNING id
"""
SELECT_DUE = f"""
SELECT 1 FROM studies WHERE state = 'open' AND closes <= :now
UNION ALL SELECT 1 FROM studies WHERE state = 'drawing' AND (
  NOT EXISTS ({ITS_JOBS} AND j.status <> 'done')
  OR EXISTS ({ITS_JOBS} AND j.status IN ('failed', 'cancelled')))
LIMIT 1
"""
SET_VOTE = """
INSERT INTO votes (pair, member, choice, at) VALUES (:pair, :member, :choice, :now)
ON CONFLICT (pair, member) DO UPDATE SET choice = excluded.choice, at = excluded.at
"""
SELECT_VOTES = """
SELECT v.* FROM votes AS v JOIN study_pairs AS p ON p.id = v.pair WHERE p.study = :study
"""


class StudyState(StrEnum):
    """How far a study is."""

    DRAWING = "drawing"
    OPEN = "open"  #: takes votes
    CLOSED = "closed"
    FAILED = "failed"  #: its pictures could not be drawn
    WITHDRAWN = "withdrawn"  #: cancelled, or one of its styles was taken back


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two ways to draw."""

    style: int | None  #: None is the base alone
    name: str
    strength: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """A prompt of a study, with the job that draws it for each side; their seeds are equal."""

    prompt: str  #: as voters read it
    jobs: tuple[NewJob, NewJob]


@dataclass(frozen=True, slots=True)
class NewStudy:
    """A study that is not stored yet."""

    owner: int
    guild: int
    channel: int
    question: str
    hours: float
    sides: tuple[Side, Side]
    drawings: Sequence[Drawing]


@dataclass(frozen=True, slots=True)
class Study:
    """A study, without its votes."""

    id: int
    key: str  #: random; see `storage.planning.study.order_pairs`
    owner: int
    guild: int
    channel: int
    question: str
    hours: float
    state: StudyState
    created: float
    closes: float | None
    sides: tuple[Side, Side]
    result: dict[str, Any] | None  #: pairs and ballots of a closed one, the error of a failed one

    def summarise(self) -> StudyResult:
        """Return what a closed study has shown."""
        content = self.result or {"pairs": [{"attention": True}], "ballots": []}
        attention = [pair["attention"] for pair in content["pairs"]].index(True)
        return summarise([read_ballot(each) for each in content["ballots"]], attention)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures of one prompt and seed."""

    id: int
    study: int
    prompt: str  #: as voters read it
    seed: int
    first: int  #: the job that drew the first side's picture
    second: int
    picture: int  #: its number in both jobs
    attention: bool  #: one of the two is shown beside noise


class Studies:
    """The tables of studies and votes."""

    def __init__(self, database: Database, trash: Trash) -> None:
        self._database, self._trash = database, trash

    async def add(self, new: NewStudy) -> Study:
        """Store a study and queue its pictures.

        Raises UserError("study_busy") while another one of its owner is drawn or open there.
        """
        async with self._database.transaction() as tx:
            sql = (
                "SELECT id FROM studies WHERE owner = :owner AND guild = :guild"
                " AND state IN ('drawing', 'open')"
            )
            if await tx.execute(sql, owner=new.owner, guild=new.guild):
                raise UserError("study_busy")
            rows = await tx.execute(
                INSERT_STUDY,
                owner=new.owner,
                guild=new.guild,
                channel=new.channel,
                question=new.question,
                hours=new.hours,
                now=time.time(),
            )
            study = int(rows[0]["id"])
            for number, side in enumerate(new.sides):
                await tx.execute(INSERT_SIDE, study=study, side=number, **asdict(side))
            for place, drawing in enumerate(new.drawings):
                await _add_pairs(tx, study, drawing, attention=not place)
        return await self.get(study)

    async def get(self, number: int) -> Study:
        """Return a study; raise UserError("study_unknown") without one."""
        return await _get(self._database, number)

    async def list_for(self, guild: int, owner: int | None = None) -> list[Study]:
        """List a server's studies, or those of one owner there, newest first."""
        sql = f"{SELECT_STUDIES} WHERE guild = :guild AND owner = coalesce(:owner, owner)"
        rows = await self._database.execute(f"{sql} ORDER BY id DESC", guild=guild, owner=owner)
        return [study_from_row(row) for row in rows]

    async def list_pairs(self, study: int) -> list[Pair]:
        """List a study's pairs."""
        return await _list_pairs(self._database, study)

    async def get_pair(self, number: int) -> Pair:
        """Return a pair; raise UserError("study_unknown") if it went with its study."""
        sql = "SELECT * FROM study_pairs WHERE id = :id"
        row = await self._database.fetch_one(sql, id=number)
        if row is None:
            raise UserError("study_unknown")
        return pair_from_row(row)

    async def remove_pair(self, number: int) -> None:
        """Remove a pair whose pictures are gone, with its votes."""
        await self._database.execute("DELETE FROM study_pairs WHERE id = :id", id=number)

    # votes ---------------------------------------------------------------------------------------

    async def vote(self, pair: Pair, member: int, choice: Choice) -> None:
        """Store a member's vote on a pair, in place of their earlier one.

        Raises UserError: "study_unknown", "study_closed", or "study_own" for its owner.
        """
        async with self._database.transaction() as tx:
            check_open(await _get(tx, pair.study), member)
            if not await tx.execute("SELECT 1 FROM study_pairs WHERE id = :id", id=pair.id):
                raise UserError("study_unknown")
            now = time.time()
            await tx.execute(SET_VOTE, pair=pair.id, member=member, choice=choice, now=now)

    async def list_voted(self, study: int, member: int) -> set[int]:
        """Return the pairs that a member has voted on."""
        sql = f"{SELECT_VOTES} AND v.member = :member"
        rows = await self._database.execute(sql, study=study, member=member)
        return {row["pair"] for row in rows}

    async def count_voters(self, study: int) -> int:
        """Count the members who have voted, which tells nothing of how."""
        sql = f"SELECT count(DISTINCT member) AS voters FROM ({SELECT_VOTES})"
        rows = await self._database.execute(sql, study=study)
        return int(rows[0]["voters"])

    # its course ----------------------------------------------------------------------------------

    async def move(self, number: int, channel: int, message: int) -> None:
        """Have an open study's result posted where it takes votes by now."""
        async with self._database.transaction() as tx:
            sql = "UPDATE studies SET channel = :channel WHERE id = :id AND state = 'open'"
            await tx.execute(sql, channel=channel, id=number)
            await tx.execute(MOVE_POST, channel=channel, message=message, study=number)

    async def close(self, number: int) -> None:
        """Close an open study for good, and have its result posted; does nothing to another."""
        async with self._database.transaction() as tx:
            study = await _get(tx, number)
            if study.state is StudyState.OPEN:
                await _close(tx, study)

    async def cancel(self, number: int) -> None:
        """End a study without a result; its pictures and votes go."""
        sql = "UPDATE studies SET state = 'withdrawn' WHERE id = :id"
        await self._database.execute(f"{sql} AND state IN ('drawing', 'open')", id=number)
        await self._trash.sweep()

    async def advance(self, now: float) -> None:
        """Open the studies that are drawn, and close those whose time is over."""
        if not await self._database.execute(SELECT_DUE, now=now):
            return  # without a turn at writing, which others may want
        async with self._database.transaction() as tx:
            for sql, kind in (
                (FAIL_UNDRAWN, PostKind.STUDY_FAILED),
                (OPEN_DRAWN, PostKind.STUDY_OPEN),
            ):
                for row in await tx.execute(sql, now=now):
                    await _add_post(tx, await _get(tx, row["id"]), kind)
            due = "SELECT id FROM studies WHERE state = 'open' AND closes <= :now"
            for row in await tx.execute(due, now=now):
                await _close(tx, await _get(tx, row["id"]))
        await self._trash.sweep()

    async def list_unretired(self) -> list[Study]:
        """List the studies that have ended, and whose post does not say so yet."""
        sql = f"{SELECT_STUDIES} WHERE NOT retired AND state IN ('closed', 'withdrawn')"
        return [study_from_row(row) for row in await self._database.execute(sql)]

    async def retire(self, number: int) -> None:
        """Record that a study's post says that it has ended."""
        await self._database.execute("UPDATE studies SET retired = 1 WHERE id = :id", id=number)


def check_open(study: Study, member: int) -> None:
    """Raise UserError unless a member may vote now."""
    if study.state is StudyState.WITHDRAWN:
        raise UserError("study_unknown")
    if study.state is not StudyState.OPEN or time.time() >= (study.closes or 0):
        raise UserError("study_closed")
    if study.owner == member:
        raise UserError("study_own")


def study_from_row(row: sqlite3.Row) -> Study:
    """Return the study of a row."""
    first, second = (Side(**side) for side in json.loads(row["sides"]))
    state, result = StudyState(row["state"]), json.loads(row["result"])
    return read_row(Study, row, sides=(first, second), state=state, result=result)


def pair_from_row(row: sqlite3.Row) -> Pair:
    """Return the pair of a row."""
    return read_row(Pair, row, attention=bool(row["attention"]))


def read_ballot(votes: Iterable[int | None]) -> Ballot:
    """Read a ballot from JSON."""
    return [None if vote is None else Choice(vote) for vote in votes]


async def _get(connection: Connection, number: int) -> Study:
    row = await connection.fetch_one(f"{SELECT_STUDIES} WHERE s.id = :id", id=number)
    if row is None:
        raise UserError("study_unknown")
    return study_from_row(row)


async def _list_pairs(connection: Connection, study: int) -> list[Pair]:
    sql = "SELECT * FROM study_pairs WHERE study = :study ORDER BY id"
    return [pair_from_row(row) for row in await connection.execute(sql, study=study)]


async def _add_pairs(tx: Connection, study: int, drawing: Drawing, *, attention: bool) -> None:
    """Queue a prompt's two jobs, and add its pairs; the attention pair has the first picture.

    The jobs come in random order: their ids are on a ballot's buttons, and must not tell sides.
    """
    jobs = [0, 0]
    for side in random.SystemRandom().sample(range(len(jobs)), len(jobs)):
        new = drawing.jobs[side]
        values = asdict(new) | {"request": json.dumps(new.request, sort_keys=True)}
        jobs[side] = (await tx.execute(INSERT_JOB, **values, now=time.time()))[0]["id"]
    request = drawing.jobs[0].request
    pictures = [(number, 0) for number in range(request["count"])]
    for picture, is_attention in [*pictures, (0, 1)] if attention else pictures:
        await tx.execute(
            INSERT_PAIR,
            study=study,
            prompt=drawing.prompt,
            seed=request["seed"] + picture,
            first=jobs[0],
            second=jobs[1],
            picture=picture,
            attention=is_attention,
        )


async def _add_post(tx: Connection, study: Study, kind: PostKind) -> None:
    await tx.execute(
        INSERT_POST,
        kind=kind,
        owner=study.owner,
        guild=study.guild,
        study=study.id,
        now=time.time(),
    )


async def _close(tx: Connection, study: Study) -> None:
    """Turn votes into ballots, in no order that tells whose they are, and forget the voters."""
    pairs = await _list_pairs(tx, study.id)
    votes: dict[int, dict[int, int]] = {}
    for row in await tx.execute(SELECT_VOTES, study=study.id):
        votes.setdefault(row["member"], {})[row["pair"]] = row["choice"]
    ballots = [[voted.get(pair.id) for pair in pairs] for voted in votes.values()]
    random.SystemRandom().shuffle(ballots)
    shown = [
        {"prompt": pair.prompt, "seed": pair.seed, "attention": pair.attention} for pair in pairs
    ]
    await tx.execute(
        "UPDATE studies SET state = 'closed', result = :result WHERE id = :id",
        result=json.dumps({"pairs": shown, "ballots": ballots}),
        id=study.id,
    )
    forget = "DELETE FROM votes WHERE pair IN (SELECT id FROM study_pairs WHERE study = :study)"
    await tx.execute(forget, study=study.id)
    await _add_post(tx, study, PostKind.STUDY_RESULT)
