"""Members and servers whose photos stay on the main machine, when others have joined."""

from __future__ import annotations

import time

from storage.tables.database import Database

#: whether a job has data that stay; `job` is the prefix of its columns, or of a new one's values.
#: They are its owner's, its server's, its photos' contributors', and those of its styles' makers
ASKED = """EXISTS (SELECT 1 FROM stays_home WHERE id IN ({job}owner, {job}guild) OR id IN (
  SELECT contributor FROM photos WHERE dataset IN (
    SELECT {job}dataset
    UNION SELECT value ->> 'dataset' FROM json_each({job}request, '$.other_datasets'))
  UNION SELECT maker FROM (
    SELECT id AS style, owner AS maker FROM styles
    UNION SELECT style, member FROM style_contributors)
  WHERE style IN (
    SELECT {job}style
    UNION SELECT value ->> 'style' FROM json_each({job}request, '$.styles')
    UNION SELECT value ->> 'style' FROM json_each({job}request, '$.judged'))))"""
STAYS_HOME = ASKED.format(job=":")
MARK_JOBS = f"""
UPDATE jobs SET stays_home = 1 WHERE status IN ('queued', 'running', 'paused')
  AND {ASKED.format(job="jobs.")}
"""


class Staying:
    """The table of those who have said so."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def has(self, who: int) -> bool:
        """Return whether a member, or a server, has said so."""
        sql = "SELECT 1 FROM stays_home WHERE id = :id"
        return await self._database.fetch_one(sql, id=who) is not None

    async def set(self, who: int, *, stays: bool) -> None:
        """Record what a member or a server says.

        Jobs that are open stay from now on; they do not leave when it is taken back.
        """
        async with self._database.transaction() as tx:
            if not stays:
                await tx.execute("DELETE FROM stays_home WHERE id = :id", id=who)
                return
            sql = "INSERT OR IGNORE INTO stays_home VALUES (:id, :now)"
            await tx.execute(sql, id=who, now=time.time())
            await tx.execute(MARK_JOBS)
