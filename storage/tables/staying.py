"""Whose photos stay on the main machine, when others have joined, and the jobs that do so."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

from storage.tables.database import Database

#: what members agreed to while the main machine was alone; `dataset` is NULL for their own
AGREED_HERE = """
SELECT member, dataset FROM consents WHERE withdrawn IS NULL
GROUP BY member, dataset HAVING max(other_machines) = 0"""
#: whether a job has data that stay; `job` is the prefix of its columns, or of a new one's values.
#: They are its owner's, its server's, its photos' contributors', and those of its styles' makers
ASKED = f"""EXISTS (
  WITH trained AS (
    SELECT {{job}}dataset AS dataset
    UNION SELECT value ->> 'dataset' FROM json_each({{job}}request, '$.other_datasets')),
  drawn AS (
    SELECT {{job}}style AS style
    UNION SELECT value ->> 'style' FROM json_each({{job}}request, '$.styles')
    UNION SELECT value ->> 'style' FROM json_each({{job}}request, '$.judged')),
  learnt AS (
    SELECT member, dataset, owner FROM style_contributors JOIN styles ON styles.id = style
      WHERE style IN drawn
    UNION SELECT contributor, dataset, datasets.owner FROM photos
      JOIN datasets ON datasets.id = dataset WHERE dataset IN trained)
  SELECT 1 FROM stays_home WHERE id IN ({{job}}owner, {{job}}guild)
    OR id IN (SELECT member FROM learnt)
    OR id IN (SELECT owner FROM styles WHERE id IN drawn)
  UNION ALL SELECT 1 FROM learnt JOIN ({AGREED_HERE}) AS agreed
    ON agreed.member = learnt.member
    AND agreed.dataset IS iif(learnt.member = learnt.owner, NULL, learnt.dataset))"""
STAYS_HOME = ASKED.format(job=":")
#: of a job that waits; who said so since it was queued counts as well
STAYS_STILL = f"(jobs.stays_home OR {ASKED.format(job='jobs.')})"


class Staying:
    """The table of members and servers that have said so."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def has(self, who: int) -> bool:
        """Return whether a member, or a server, has said so."""
        sql = "SELECT 1 FROM stays_home WHERE id = :id"
        return await self._database.fetch_one(sql, id=who) is not None

    async def agreed_here(self, member: int) -> bool:
        """Return whether a member agreed to training on the main machine alone."""
        sql = f"SELECT 1 FROM ({AGREED_HERE}) WHERE member = :member AND dataset IS NULL"
        return await self._database.fetch_one(sql, member=member) is not None

    async def would_stay(self, owner: int, guild: int, datasets: Sequence[int]) -> bool:
        """Return whether a training of datasets would have to stay on the main machine."""
        others = {"other_datasets": [{"dataset": each} for each in datasets]}
        values = {"owner": owner, "guild": guild, "request": json.dumps(others)}
        sql = f"SELECT {STAYS_HOME} AS stays"
        row = await self._database.fetch_one(sql, dataset=None, style=None, **values)
        return bool(row and row["stays"])

    async def list_waiting(self) -> set[int]:
        """Return the ids of the jobs that wait for a worker of the main machine."""
        sql = f"SELECT id FROM jobs WHERE status = 'queued' AND {STAYS_STILL}"
        return {row["id"] for row in await self._database.execute(sql)}

    async def set(self, who: int, *, stays: bool) -> None:
        """Record what a member or a server says, for jobs that no worker has claimed yet.

        A job that was queued meanwhile stays also once this is taken back.
        """
        if stays:
            sql = "INSERT OR IGNORE INTO stays_home VALUES (:id, :now)"
            await self._database.execute(sql, id=who, now=time.time())
        else:
            await self._database.execute("DELETE FROM stays_home WHERE id = :id", id=who)
