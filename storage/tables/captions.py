"""Captions that are changed together, and how they were before."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping

from storage.errors import UserError
from storage.names import clean_trigger
from storage.photosets.edits import rename_trigger
from storage.records import Photo
from storage.tables.database import Connection, Database
from storage.tables.datasets import SELECT_TRAINING_JOB
from storage.tables.photos import MAX_CAPTION_CHARS, photo_from_row

MAX_UNDOS = 20  #: changes of a dataset's captions that can be undone
SELECT_CAPTION_JOB = """
SELECT id FROM jobs WHERE dataset = :dataset AND kind = 'caption'
AND status IN ('queued', 'running', 'paused')
"""
INSERT_EDIT = """
INSERT INTO caption_edits (dataset, "trigger", at) VALUES (:dataset, :trigger, :now) RETURNING id
"""
INSERT_CAPTION = """
INSERT INTO edited_captions (edit, photo, caption, written, became)
SELECT :edit, id, caption, written, :became FROM photos WHERE id = :photo
"""
FORGET_EDITS = """
DELETE FROM caption_edits WHERE dataset = :dataset AND id NOT IN
(SELECT id FROM caption_edits WHERE dataset = :dataset ORDER BY id DESC LIMIT :most)
"""
#: what was changed again since, by hand or by a captioner, stays
RESTORE_CAPTIONS = """
UPDATE photos SET caption = e.caption, written = e.written FROM edited_captions AS e
WHERE e.edit = :edit AND e.photo = photos.id AND photos.caption = e.became RETURNING photos.id
"""
NEWEST_EDIT = """
SELECT e.* FROM caption_edits AS e JOIN datasets AS d ON d.id = e.dataset
WHERE e.dataset = :dataset AND d.owner = :owner ORDER BY e.id DESC LIMIT 1
"""


class Captions:
    """The captions of whole datasets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def change(self, dataset: int, owner: int, change: Callable[[Photo, str], str]) -> int:
        """Change captions of a member's dataset; return how many became others.

        `change` gets a photo and the trigger, and returns its caption. What became another one
        counts as written by the member. Raises UserError "dataset_unknown" or "captions_long".
        """
        async with self._database.transaction() as tx:
            trigger, photos = await _read(tx, dataset, owner)
            captions = {photo.id: " ".join(change(photo, trigger).split()) for photo in photos}
            changed = {p.id: captions[p.id] for p in photos if captions[p.id] != p.caption}
            await _store(tx, dataset, trigger, changed)
            for photo, text in changed.items():
                sql = "UPDATE photos SET written = :written WHERE id = :photo"
                await tx.execute(sql, photo=photo, written=bool(text))
        return len(changed)

    async def rename_trigger(self, dataset: int, owner: int, text: str) -> int:
        """Rename a dataset's trigger, in its captions, too; return how many have it.

        Who wrote a caption stays as it was. Raises UserError "dataset_unknown", "trigger_bad",
        "captions_long" or "trigger_busy".
        """
        new = clean_trigger(text)
        async with self._database.transaction() as tx:
            old, photos = await _read(tx, dataset, owner)
            if old == new:
                return 0
            await _set_trigger(tx, dataset, new)
            renamed = {photo.id: rename_trigger(photo.caption, old, new) for photo in photos}
            changed = {p.id: renamed[p.id] for p in photos if renamed[p.id] != p.caption}
            await _store(tx, dataset, old, changed, always=True)
        return len(changed)

    async def find_newest_edit(self, dataset: int, owner: int) -> int | None:
        """Return the id of the newest change of a member's captions that can be undone."""
        row = await self._database.fetch_one(NEWEST_EDIT, dataset=dataset, owner=owner)
        return None if row is None else int(row["id"])

    async def undo(self, dataset: int, owner: int, edit: int) -> int:
        """Undo the newest change; return how many captions are as they were.

        Captions that were changed again since stay. Raises UserError "dataset_unknown",
        "edit_gone" if another change is the newest, or "trigger_busy".
        """
        async with self._database.transaction() as tx:
            trigger, photos = await _read(tx, dataset, owner)
            newest = await tx.fetch_one(NEWEST_EDIT, dataset=dataset, owner=owner)
            if newest is None or newest["id"] != edit:
                raise UserError("edit_gone")
            restored = {row["id"] for row in await tx.execute(RESTORE_CAPTIONS, edit=edit)}
            if newest["trigger"] != trigger:
                await _set_trigger(tx, dataset, newest["trigger"])
                for photo in photos:  # those that were written with it since
                    if photo.id not in restored:
                        text = rename_trigger(photo.caption, trigger, newest["trigger"])
                        await _set_caption(tx, photo.id, text)
            await tx.execute("DELETE FROM caption_edits WHERE id = :edit", edit=edit)
        return len(restored)


async def _read(tx: Connection, dataset: int, owner: int) -> tuple[str, list[Photo]]:
    """Return a member's dataset's trigger and photos."""
    sql = "SELECT * FROM datasets WHERE id = :dataset AND owner = :owner"
    row: sqlite3.Row | None = await tx.fetch_one(sql, dataset=dataset, owner=owner)
    if row is None:
        raise UserError("dataset_unknown")
    rows = await tx.execute(
        "SELECT * FROM photos WHERE dataset = :dataset ORDER BY id", dataset=dataset
    )
    return row["trigger"], [photo_from_row(each) for each in rows]


async def _store(
    tx: Connection, dataset: int, trigger: str, changed: Mapping[int, str], *, always: bool = False
) -> None:
    """Set captions, and note what they were; without any, only if it is to be noted `always`."""
    long = sum(len(text) > MAX_CAPTION_CHARS for text in changed.values())
    if long:
        raise UserError("captions_long", count=long, most=MAX_CAPTION_CHARS)
    if not (changed or always):
        return
    facts = {"dataset": dataset, "trigger": trigger, "now": time.time()}
    ((edit,),) = await tx.execute(INSERT_EDIT, **facts)
    for photo, text in changed.items():
        await tx.execute(INSERT_CAPTION, edit=edit, photo=photo, became=text)
        await _set_caption(tx, photo, text)
    await tx.execute(FORGET_EDITS, dataset=dataset, most=MAX_UNDOS)


async def _set_caption(tx: Connection, photo: int, text: str) -> None:
    await tx.execute("UPDATE photos SET caption = :text WHERE id = :photo", text=text, photo=photo)


async def _set_trigger(tx: Connection, dataset: int, trigger: str) -> None:
    """Set a dataset's trigger, unless an open job was given the present one."""
    for sql in (SELECT_CAPTION_JOB, SELECT_TRAINING_JOB):
        if job := await tx.fetch_one(sql, dataset=dataset):
            raise UserError("trigger_busy", job=job["id"])
    sql = 'UPDATE datasets SET "trigger" = :trigger WHERE id = :dataset'
    await tx.execute(sql, trigger=trigger, dataset=dataset)
