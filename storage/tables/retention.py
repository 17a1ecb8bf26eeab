"""Delete datasets that nobody has used for long, after their members were warned."""

from __future__ import annotations

import time
from dataclasses import dataclass

from storage.records import Dataset
from storage.tables.database import Database
from storage.tables.datasets import SELECT_TRAINING_JOB, dataset_from_row, get_owned
from storage.tables.posts import PostKind
from storage.tables.trash import ADD_TRACES, Trash
from storage.tables.withdrawal import list_reader_removals

DAY_SECONDS = 86400.0
MAX_NOTICE_DAYS = 14  #: between the warning and the deletion
#: when each dataset was last used: photos, trainings, changed captions, or Keep
SELECT_USES = """
SELECT id AS dataset, max(created, coalesce(kept, 0)) AS at FROM datasets
UNION ALL SELECT dataset, max(created) FROM photos GROUP BY dataset
UNION ALL SELECT dataset, max(at) FROM caption_edits GROUP BY dataset
UNION ALL SELECT dataset, max(coalesce(ended, created)) FROM jobs
  WHERE dataset IS NOT NULL GROUP BY dataset
UNION ALL SELECT json_extract(other.value, '$.dataset'), max(coalesce(j.ended, j.created))
  FROM jobs AS j, json_each(j.request, '$.other_datasets') AS other GROUP BY 1
"""
#: those with photos that no open training needs
SELECT_UNUSED = f"""
SELECT d.*, u.used, (SELECT count(*) FROM photos WHERE dataset = d.id) AS photos
FROM datasets AS d JOIN (
  SELECT dataset, max(at) AS used FROM ({SELECT_USES}) GROUP BY dataset) AS u ON u.dataset = d.id
WHERE u.used < :before AND photos > 0
  AND NOT EXISTS ({SELECT_TRAINING_JOB.replace(":dataset", "d.id")})
"""
#: their owner, and all whose photos are in them
INSERT_WARNINGS = """
INSERT INTO posts (kind, member, guild, event, dataset, created)
SELECT :kind, m.member, d.guild, 0, d.id, :now FROM datasets AS d JOIN (
  SELECT owner AS member FROM datasets WHERE id = :dataset
  UNION SELECT contributor FROM photos WHERE dataset = :dataset) AS m
WHERE d.id = :dataset
"""


@dataclass(frozen=True, slots=True)
class UnusedDataset:
    """A dataset that will be deleted unless somebody uses it."""

    dataset: Dataset
    photos: int
    used: float  #: when it was last used
    warned: float


class Retention:
    """Datasets by when they were last used."""

    def __init__(self, database: Database, trash: Trash) -> None:
        self._database, self._trash = database, trash

    async def warn(self, days: int, now: float) -> int:
        """Warn the members of datasets that will soon be unused for so many days; count these.

        Each is warned of once, until it is used again.
        """
        before = now - (days - notice_days(days)) * DAY_SECONDS
        async with self._database.transaction() as tx:
            sql = f"{SELECT_UNUSED} AND coalesce(d.warned, 0) <= u.used"
            rows = await tx.execute(sql, before=before)
            for row in rows:
                facts = {"dataset": row["id"], "now": now}
                await tx.execute("UPDATE datasets SET warned = :now WHERE id = :dataset", **facts)
                await tx.execute(INSERT_WARNINGS, kind=PostKind.UNUSED, **facts)
        return len(rows)

    async def delete(self, days: int, now: float) -> list[Dataset]:
        """Delete datasets that were not used for so many days, nor since the warning; return them.

        Between warning and deletion lie at least `notice_days`.
        """
        before, warned = (now - each * DAY_SECONDS for each in (days, notice_days(days)))
        async with self._database.transaction() as tx:
            sql = f"{SELECT_UNUSED} AND d.warned > u.used AND d.warned <= :warned"
            rows = await tx.execute(sql, before=before, warned=warned)
            for row in rows:
                for sql in (*list_reader_removals(":id"), "DELETE FROM datasets WHERE id = :id"):
                    await tx.execute(sql, id=row["id"])
            if rows:
                await tx.execute(ADD_TRACES)
        if rows:
            await self._trash.sweep()
        return [dataset_from_row(row) for row in rows]

    async def keep(self, dataset: int, owner: int) -> None:
        """Count a dataset as used now; raise UserError("dataset_unknown") if it isn't theirs."""
        async with self._database.transaction() as tx:
            await get_owned(tx, dataset, owner)
            sql = "UPDATE datasets SET kept = :now WHERE id = :id"
            await tx.execute(sql, id=dataset, now=time.time())

    async def find(self, dataset: int) -> UnusedDataset | None:
        """Return a dataset of which its members were warned; None if it was used since."""
        sql = f"{SELECT_UNUSED} AND d.id = :id AND d.warned > u.used"
        row = await self._database.fetch_one(sql, id=dataset, before=time.time())
        if row is None:
            return None
        return UnusedDataset(dataset_from_row(row), row["photos"], row["used"], row["warned"])


def notice_days(days: int) -> int:
    """Return how many days before its deletion an unused dataset's members are warned."""
    return max(1, min(MAX_NOTICE_DAYS, days // 2))
