"""The datasets of members. Every query names the owner: others' datasets do not exist for them."""

from __future__ import annotations

import sqlite3
import time

from storage.errors import UserError
from storage.names import clean_name, clean_trigger, name_key, trigger_from_name
from storage.records import Concept, Dataset
from storage.tables.database import Connection, Database, read_row
from storage.tables.trash import ADD_TRACES, Trash
from storage.tables.withdrawal import list_reader_removals, list_style_deletions

MAX_NAMED_DATASETS = 10  #: in an error
INSERT_DATASET = """
INSERT INTO datasets (owner, guild, name, key, concept, trigger, created)
VALUES (:owner, :guild, :name, :key, :concept, :trigger, :now)
ON CONFLICT (owner, key) DO NOTHING RETURNING *
"""
SELECT_COLLECTING = """
SELECT d.* FROM collecting AS c JOIN datasets AS d ON d.id = c.dataset
WHERE c.owner = :owner AND c.channel = :channel AND d.owner = :owner
"""
#: an open training on a dataset, be it its first or a further one
SELECT_TRAINING_JOB = """
SELECT id FROM jobs WHERE kind = 'train'
AND status IN ('queued', 'running', 'paused')
AND (dataset = :dataset OR EXISTS (
  SELECT 1 FROM json_each(request, '$.other_datasets') AS further
  WHERE json_extract(further.value, '$.dataset') = :dataset))
"""
#: styles of a dataset's owner that were trained on it
TRAINED_STYLES = """
SELECT id FROM styles WHERE owner = :owner
AND id IN (SELECT style FROM style_contributors WHERE dataset = :dataset)
"""
DELETE_WAITING_READERS = """
DELETE FROM jobs
WHERE kind IN ('caption', 'grade') AND started IS NULL AND dataset = :dataset
"""


class Datasets:
    """The table of datasets."""

    def __init__(self, database: Database, trash: Trash) -> None:
        self._database, self._trash = database, trash

    async def create(
        self, owner: int, guild: int, name: str, concept: Concept, trigger: str = ""
    ) -> Dataset:
        """Add an empty dataset; without a trigger, its name becomes one.

        Raises UserError: "name_bad", "trigger_bad" or "name_taken".
        """
        name = clean_name(name)
        row = await self._database.fetch_one(
            INSERT_DATASET,
            owner=owner,
            guild=guild,
            name=name,
            key=name_key(name),
            concept=concept,
            trigger=clean_trigger(trigger) if trigger.strip() else trigger_from_name(name),
            now=time.time(),
        )
        if row is None:
            raise UserError("name_taken", name=name)
        return dataset_from_row(row)

    async def list_for(self, owner: int) -> list[Dataset]:
        """Return a member's datasets, newest first."""
        sql = "SELECT * FROM datasets WHERE owner = :owner ORDER BY id DESC"
        rows = await self._database.execute(sql, owner=owner)
        return [dataset_from_row(row) for row in rows]

    async def get(self, dataset_id: int, owner: int) -> Dataset:
        """Return a member's dataset; raise UserError("dataset_unknown") if it is not theirs."""
        return await get_owned(self._database, dataset_id, owner)

    async def get_by_name(self, owner: int, name: str) -> Dataset:
        """Return a member's dataset by its name, in any case."""
        sql = "SELECT * FROM datasets WHERE owner = :owner AND key = :key"
        row = await self._database.fetch_one(sql, owner=owner, key=name_key(name.strip(" ")))
        if row is None:
            names = [known.name for known in await self.list_for(owner)][:MAX_NAMED_DATASETS]
            if not names:
                raise UserError("datasets_none")
            raise UserError("dataset_name_unknown", dataset=name, choices=names)
        return dataset_from_row(row)

    async def count_styles(self, dataset_id: int, owner: int) -> int:
        """Count a member's styles that were trained on a dataset."""
        sql = f"SELECT count(*) FROM ({TRAINED_STYLES})"
        rows = await self._database.execute(sql, dataset=dataset_id, owner=owner)
        return int(rows[0][0])

    async def delete(self, dataset_id: int, owner: int, *, delete_styles: bool = False) -> None:
        """Delete a dataset and its photos, and if asked the styles its owner trained on it.

        Raises UserError("dataset_busy") during a training.
        """
        facts = {"dataset": dataset_id, "owner": owner, "now": time.time()}
        async with self._database.transaction() as tx:
            dataset = await get_owned(tx, dataset_id, owner)
            if busy := await tx.fetch_one(SELECT_TRAINING_JOB, dataset=dataset_id):
                raise UserError("dataset_busy", name=dataset.name, job=busy["id"])
            for sql in (
                DELETE_WAITING_READERS,
                *list_reader_removals(":dataset"),
                *(list_style_deletions(TRAINED_STYLES) if delete_styles else ()),
            ):
                await tx.execute(sql, **facts)
            await tx.execute("DELETE FROM datasets WHERE id = :id", id=dataset_id)
            await tx.execute(ADD_TRACES)
        await self._trash.sweep()

    async def attest(self, dataset_id: int, owner: int) -> None:
        """Note that a dataset's owner attests that the people in it are adults and agree."""
        sql = "UPDATE datasets SET attested = :now WHERE id = :id AND owner = :owner"
        await self._database.execute(sql, id=dataset_id, owner=owner, now=time.time())

    async def set_collecting(self, owner: int, channel: int, dataset_id: int | None) -> None:
        """Collect a member's messages in a channel into a dataset; None stops that."""
        async with self._database.transaction() as tx:
            sql = "DELETE FROM collecting WHERE owner = :owner AND channel = :channel"
            await tx.execute(sql, owner=owner, channel=channel)
            if dataset_id is not None:
                await get_owned(tx, dataset_id, owner)
                sql = "INSERT INTO collecting VALUES (:owner, :channel, :id)"
                await tx.execute(sql, owner=owner, channel=channel, id=dataset_id)

    async def get_collecting(self, owner: int, channel: int) -> Dataset | None:
        """Return the dataset that a member's messages in a channel are collected into."""
        row = await self._database.fetch_one(SELECT_COLLECTING, owner=owner, channel=channel)
        return None if row is None else dataset_from_row(row)


def dataset_from_row(row: sqlite3.Row) -> Dataset:
    """Return the dataset of a row."""
    return read_row(Dataset, row, concept=Concept(row["concept"]))


def _require_dataset(row: sqlite3.Row | None) -> Dataset:
    if row is None:
        raise UserError("dataset_unknown")
    return dataset_from_row(row)


async def get_owned(connection: Connection, dataset_id: int, owner: int) -> Dataset:
    """Return a member's dataset; raise UserError("dataset_unknown") if it is not theirs."""
    sql = "SELECT * FROM datasets WHERE id = :id AND owner = :owner"
    return _require_dataset(await connection.fetch_one(sql, id=dataset_id, owner=owner))
