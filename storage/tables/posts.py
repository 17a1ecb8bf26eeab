"""What the bot has to tell: each post waits here until somebody has it, also over a restart."""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from dataclasses import asdict, dataclass
from enum import StrEnum

from storage.tables.database import Database, read_row
from storage.tables.events import ADVANCE

INSERT_POST = """
INSERT OR IGNORE INTO posts
  (kind, member, guild, job, event, report, dataset, study, comparison,
   refusals, created)
VALUES
  (:kind, :member, :guild, :job, :event, :report, :dataset, :study, :comparison,
   :refusals, :now)
RETURNING *
"""
REFUSE = """
UPDATE posts SET rung = rung + 1, uncertain = 0, refusals = :refusals WHERE id = :post RETURNING *
"""
FINISH = """
UPDATE posts SET state = 'done', uncertain = 0, channel = :channel, message = :message
WHERE id = :post
"""
WAS_TOLD = """
SELECT 1 FROM posts
WHERE job = :job AND id <> :post AND state = 'done' AND refusals = :refusals
  AND kind <> 'card_lost'
"""

OWNER_TOLD = """
SELECT 1 FROM posts WHERE kind = 'report' AND guild = :guild AND report < :report
  AND state <> 'waiting' AND rung > 0
  AND NOT EXISTS (SELECT 1 FROM decisions WHERE report = posts.report)
"""


class PostKind(StrEnum):
    """What a post tells."""

    PREVIEWS = "previews"
    RESULT = "result"
    ENDING = "ending"  #: a training ended without a result
    CARD = "card"  #: the last state of a training's card
    PICTURES = "pictures"  #: the last state of a sample's card
    CARD_LOST = "card_lost"  #: a job's card cannot be posted
    WATCHED = "watched"  #: a training ended, for somebody who pressed Tell me
    REPORT = "report"
    UNUSED = "unused"  #: a dataset will be deleted unless it is used
    TAKEN_BACK = "taken_back"  #: a member took back the photos that they added to a dataset
    GRADED = "graded"  #: a report on a style is done, or has failed
    STUDY_OPEN = "study_open"  #: a study takes votes
    STUDY_RESULT = "study_result"
    STUDY_FAILED = "study_failed"  #: a study's pictures could not be drawn
    COMPARISON = "comparison"  #: the card of several recipes that are compared
    COMPARED = "compared"  #: how a comparison ended


#: why a place refused a post: (place, reason), both keys of `bot.wording.refusals`
Refusal = tuple[str, str]


@dataclass(frozen=True, slots=True)
class NewPost:
    """A post that is not stored yet; one of the same job, event, kind and member is told once."""

    kind: PostKind
    member: int
    guild: int
    job: int | None = None
    event: int = 0
    report: int | None = None
    dataset: int | None = None
    study: int | None = None
    comparison: int | None = None
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class Post:
    """A post, and how far it has come."""

    id: int
    kind: PostKind
    member: int
    guild: int
    job: int | None
    event: int
    report: int | None
    dataset: int | None
    study: int | None
    comparison: int | None
    state: str
    rung: int
    refusals: tuple[Refusal, ...]
    uncertain: bool
    channel: int | None
    message: int | None
    created: float

    @property
    def marker(self) -> int:
        """A number in the post's layout by which it is found in a channel."""
        return make_marker(f"{self.kind} {self.id} {self.created}")

    @property
    def nonce(self) -> str:
        """A name that Discord takes once within some minutes; 25 characters at most."""
        about = self.job or self.report or self.dataset or self.study or self.comparison
        return f"{about}-{self.event}-{self.marker:x}"


def make_marker(name: str) -> int:
    """Return a number for a component: 31 bits, and above those that Discord gives itself."""
    return 1 << 30 | zlib.crc32(name.encode()) >> 2


class Posts:
    """The table of posts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, *posts: NewPost, cursor: tuple[str, int] | None = None) -> list[Post]:
        """Add posts, and set a cursor of the events, (name, number), in the same transaction.

        Returns those that were not there already.
        """
        rows: list[sqlite3.Row] = []
        async with self._database.transaction() as tx:
            for post in posts:
                values = asdict(post) | {"refusals": json.dumps(post.refusals)}
                rows += await tx.execute(INSERT_POST, **values, now=time.time())
            if cursor is not None:
                await tx.execute(ADVANCE, name=cursor[0], event=cursor[1])
        return [post_from_row(row) for row in rows]

    async def list_waiting(self) -> list[Post]:
        """List the posts that nobody has yet, oldest first."""
        return await self._list("state = 'waiting'")

    async def list_kept(self, member: int) -> list[Post]:
        """List the posts that no place took, for the member they are for, oldest first."""
        return await self._list("state = 'kept' AND member = :member", member=member)

    async def find_result(self, job: int) -> Post | None:
        """Return the post of a training's result once it is posted where its card is."""
        where = "job = :job AND kind = 'result' AND message > 0 AND rung < 2"
        found = await self._list(where, job=job)
        return found[0] if found else None

    async def find_message(self, message: int) -> Post | None:
        """Return the post that a message is."""
        found = await self._list("message = :message", message=message)
        return found[0] if found else None

    async def find_report(self, report: int) -> Post | None:
        """Return the post of a report."""
        found = await self._list("report = :report", report=report)
        return found[0] if found else None

    async def find_study(self, study: int) -> Post | None:
        """Return the post by which a study takes votes."""
        found = await self._list("study = :study AND kind = 'study_open'", study=study)
        return found[0] if found else None

    async def find_comparison(self, comparison: int) -> Post | None:
        """Return the post that is a comparison's card."""
        where = "comparison = :comparison AND kind = 'comparison'"
        found = await self._list(where, comparison=comparison)
        return found[0] if found else None

    async def get(self, post: Post) -> Post | None:
        """Return a post as it is now; None if it went with its job."""
        found = await self._list("id = :post", post=post.id)
        return found[0] if found else None

    async def is_owner_told(self, guild: int, report: int) -> bool:
        """Return whether a server's owner knows of an earlier report that waits."""
        row = await self._database.fetch_one(OWNER_TOLD, guild=guild, report=report)
        return row is not None

    async def was_told(self, post: Post) -> bool:
        """Return whether an earlier post of the job has told the same refusals."""
        told = json.dumps(post.refusals)
        row = await self._database.fetch_one(WAS_TOLD, job=post.job, post=post.id, refusals=told)
        return row is not None

    async def expect(self, post: Post) -> None:
        """Record that a post is about to be sent, so that it is looked for after a crash."""
        await self._database.execute(
            "UPDATE posts SET uncertain = 1 WHERE id = :post", post=post.id
        )

    async def refuse(self, post: Post, refusal: Refusal | None) -> Post:
        """Record that a place refused a post, or with None does not exist; return it as it is."""
        told = [*post.refusals, refusal] if refusal else post.refusals
        rows = await self._database.execute(REFUSE, post=post.id, refusals=json.dumps(told))
        return post_from_row(rows[0])

    async def keep(self, post: Post) -> None:
        """Record that no place took a post."""
        sql = "UPDATE posts SET state = 'kept', uncertain = 0 WHERE id = :post"
        await self._database.execute(sql, post=post.id)

    async def finish(self, post: Post, channel: int = 0, message: int = 0) -> None:
        """Record that somebody has a post, and where."""
        await self._database.execute(FINISH, post=post.id, channel=channel, message=message)

    async def repeat_card(self, job: int) -> None:
        """Have the last state of a training's card shown again, as its result is posted now."""
        sql = "UPDATE posts SET state = 'waiting', rung = 0 WHERE job = :job AND kind = 'card'"
        await self._database.execute(sql, job=job)

    async def _list(self, where: str, **values: int) -> list[Post]:
        sql = f"SELECT * FROM posts WHERE {where} ORDER BY id"
        return [post_from_row(row) for row in await self._database.execute(sql, **values)]


def post_from_row(row: sqlite3.Row) -> Post:
    """Read a post from its row."""
    refusals = tuple((place, reason) for place, reason in json.loads(row["refusals"]))
    return read_row(
        Post, row, kind=PostKind(row["kind"]), refusals=refusals, uncertain=bool(row["uncertain"])
    )
