"""Members and servers whose photos stay on the main machine, when others have joined."""

from __future__ import annotations

import time

from storage.tables.database import Database

#: whether a job that is queued has photos that stay: a member's, a contributor's or a server's
STAYS_HOME = """EXISTS (SELECT 1 FROM stays_home WHERE id IN (:owner, :guild) OR id IN
  (SELECT contributor FROM photos WHERE dataset = :dataset))"""
MARK_JOBS = """
UPDATE jobs SET stays_home = 1 WHERE status IN ('queued', 'running', 'paused')
  AND (owner = :id OR guild = :id
       OR dataset IN (SELECT dataset FROM photos WHERE contributor = :id))
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
            await tx.execute(MARK_JOBS, id=who)
