"""Thumbs under pictures that a style drew: one a member and sample."""

from __future__ import annotations

import time
from typing import NamedTuple

from storage.tables.database import Database

SET_LIKE = """
INSERT INTO likes (job, member, liked, at) VALUES (:job, :member, :liked, :now)
ON CONFLICT (job, member) DO UPDATE SET liked = excluded.liked, at = excluded.at
"""
#: a sample is liked if more thumbs point up than down
COUNT_LIKES = """
SELECT coalesce(sum(score > 0), 0) AS liked, count(*) AS rated FROM (
  SELECT sum(iif(l.liked, 1, -1)) AS score FROM likes AS l JOIN jobs AS j ON j.id = l.job
  WHERE j.style = :style AND j.kind = 'sample' GROUP BY l.job)
"""


class Liking(NamedTuple):
    """How a style's samples are liked."""

    liked: int  #: samples with more thumbs up than down …
    rated: int  #: … of those with any


class Likes:
    """The table of thumbs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def set(self, job: int, member: int, *, liked: bool) -> None:
        """Store a member's thumb under a sample, in place of their earlier one."""
        await self._database.execute(
            SET_LIKE, job=job, member=member, liked=liked, now=time.time()
        )

    async def count(self, style: int) -> Liking:
        """Count how many of a style's rated samples are liked."""
        rows = await self._database.execute(COUNT_LIKES, style=style)
        return Liking(rows[0]["liked"], rows[0]["rated"])
