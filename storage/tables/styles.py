"""Finished styles: their files, their owners and the servers they are shared with."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import sqlite3
import time
from pathlib import Path

from storage.errors import JobError, UserError
from storage.folders import Home, replacing, sync_folder
from storage.records import Concept, Job, Style
from storage.tables.database import Connection, Database, read_row
from storage.tables.trash import Trash

#: `shared` lists the servers, separated by commas
SELECT_STYLES = """
SELECT s.*, (SELECT group_concat(guild) FROM shares WHERE style = s.id) AS shared FROM styles AS s
"""
IS_USABLE = "(s.owner = :member OR s.id IN (SELECT style FROM shares WHERE guild = :guild))"
INSERT_STYLE = """
INSERT INTO styles
  (key, owner, guild, job, name, method, family, base, trigger, concept, digest, bytes, created,
   whole)
VALUES
  (lower(hex(randomblob(8))), :owner, :guild, :job, :name, :method, :family, :base, :trigger,
   :concept, :digest, :bytes, :now, :whole)
RETURNING *, NULL AS shared
"""
#: the style of a training from whose last state a job went on
CONTINUE_STYLE = """
UPDATE styles SET job = :job, digest = :digest, bytes = :bytes, checkpoint = NULL
WHERE removed IS NULL AND (id, owner) IN (SELECT style, owner FROM jobs WHERE id = :continues)
RETURNING *, NULL AS shared
"""
#: whose photos were there when the training began: it keeps those that it began with
INSERT_CONTRIBUTORS = """
INSERT OR IGNORE INTO style_contributors (style, dataset, member)
SELECT DISTINCT :style, p.dataset, p.contributor FROM photos AS p, jobs AS j
WHERE j.id = :job AND p.created <= j.started AND (p.dataset = j.dataset OR p.dataset IN (
  SELECT json_extract(other.value, '$.dataset')
  FROM json_each(j.request, '$.other_datasets') AS other))
"""
EXPIRE_FULL_MODELS = """
UPDATE styles SET removed = :now WHERE whole AND removed IS NULL AND created < :before
RETURNING *, NULL AS shared
"""


class Styles:
    """The table of styles."""

    def __init__(self, database: Database, trash: Trash, home: Home) -> None:
        self._database, self._trash, self._home = database, trash, home

    async def add(  # noqa: PLR0913 - only the job that made it knows these
        self,
        job: Job,
        file: Path,
        *,
        method: str,
        family: str,
        trigger: str,
        concept: Concept,
        whole: bool = False,
    ) -> Style:
        """Store a job's result as a style; a second call returns the same style.

        A job that went on from a finished training gives that one's style another file.

        Raises JobError: "lease_lost" if the claim is not the newest, or "photos_withdrawn".
        """
        digest, size = await asyncio.to_thread(hash_file, file)
        name = str(job.request["name"])
        async with self._database.transaction() as tx:
            if existing := await _find_existing(tx, job):
                return existing
            continues, facts = job.request.get("continues"), {"job": job.id, "digest": digest}
            rows = await tx.execute(CONTINUE_STYLE, continues=continues, bytes=size, **facts)
            rows = rows or await tx.execute(
                INSERT_STYLE,
                owner=job.owner, guild=job.guild, name=name, method=method, family=family,
                base=job.base, trigger=trigger, concept=concept, bytes=size, now=time.time(),
                whole=whole, **facts,
            )  # fmt: skip
            style = style_from_row(rows[0])
            await asyncio.to_thread(_link_or_copy, file, self.file(style))
            sql = "UPDATE jobs SET style = :style WHERE id = :job"
            await tx.execute(sql, style=style.id, job=job.id)
            await tx.execute(INSERT_CONTRIBUTORS, style=style.id, job=job.id)
        return style

    async def list_for(self, owner: int) -> list[Style]:
        """Return a member's own styles, newest first."""
        sql = f"{SELECT_STYLES} WHERE s.owner = :owner ORDER BY s.id DESC"
        return [style_from_row(row) for row in await self._database.execute(sql, owner=owner)]

    async def list_usable(self, member: int, guild: int) -> list[Style]:
        """Return the styles a member may sample on a server: first their own, then shared ones."""
        sql = f"{SELECT_STYLES} WHERE {IS_USABLE} ORDER BY s.owner IS NOT :member, s.id DESC"
        rows = await self._database.execute(sql, member=member, guild=guild)
        return [style_from_row(row) for row in rows]

    async def get(self, style_id: int, member: int, guild: int) -> Style:
        """Return a style; raise UserError("style_unknown") unless the member may sample it."""
        sql = f"{SELECT_STYLES} WHERE s.id = :id AND {IS_USABLE}"
        row = await self._database.fetch_one(sql, id=style_id, member=member, guild=guild)
        if row is None:
            raise UserError("style_unknown")
        return style_from_row(row)

    async def sum_bytes(self, owner: int) -> int:
        """Return the bytes of all files of a member's styles."""
        sql = "SELECT sum(bytes) AS bytes FROM styles WHERE owner = :owner AND removed IS NULL"
        rows = await self._database.execute(sql, owner=owner)
        return int(rows[0]["bytes"] or 0)

    async def remove_full_models(self, before: float) -> list[Style]:
        """Remove the files of full models older than a time; their rows stay."""
        rows = await self._database.execute(EXPIRE_FULL_MODELS, before=before, now=time.time())
        if rows:
            await self._trash.sweep()
        return [style_from_row(row) for row in rows]

    async def share(self, style_id: int, owner: int, guild: int) -> None:
        """Let the members of a server sample a style."""
        async with self._database.transaction() as tx:
            await _check_owner(tx, style_id, owner)
            sql = "INSERT OR IGNORE INTO shares VALUES (:id, :guild)"
            await tx.execute(sql, id=style_id, guild=guild)

    async def unshare(self, style_id: int, owner: int, guild: int) -> None:
        """Stop sharing a style with a server."""
        async with self._database.transaction() as tx:
            await _check_owner(tx, style_id, owner)
            sql = "DELETE FROM shares WHERE style = :id AND guild = :guild"
            await tx.execute(sql, id=style_id, guild=guild)
        await self._trash.sweep()  # of studies that it was in

    async def withdraw(self, style_id: int, guild: int) -> None:
        """Remove anybody's style from a server, as a moderator.

        A style without an owner is deleted with its last share: nobody could sample it any more.
        """
        unshare = "DELETE FROM shares WHERE style = :id AND guild = :guild RETURNING style"
        delete_unowned = "DELETE FROM styles WHERE id = :id AND owner IS NULL"
        async with self._database.transaction() as tx:
            if not await tx.execute(unshare, id=style_id, guild=guild):
                raise UserError("style_unknown")
            sql = f"{delete_unowned} AND id NOT IN (SELECT style FROM shares)"
            await tx.execute(sql, id=style_id)
        await self._trash.sweep()

    async def delete(self, style_id: int, owner: int) -> None:
        """Delete a style and its file."""
        async with self._database.transaction() as tx:
            await _check_owner(tx, style_id, owner)
            await tx.execute("DELETE FROM styles WHERE id = :id", id=style_id)
        await self._trash.sweep()

    def file(self, style: Style) -> Path:
        """Return the path of a style's file."""
        return self._home.style_file(style.folder, style.name)


def style_from_row(row: sqlite3.Row) -> Style:
    """Return the style of a row."""
    shared = sorted(int(guild) for guild in (row["shared"] or "").split(",") if guild)
    concept, whole = Concept(row["concept"]), bool(row["whole"])
    return read_row(Style, row, concept=concept, whole=whole, shared=tuple(shared))


async def _find_existing(tx: Connection, job: Job) -> Style | None:
    """Return the style that an earlier call stored; raise JobError if there may be none."""
    row = await tx.fetch_one("SELECT fence, withdrawn FROM jobs WHERE id = :job", job=job.id)
    if row is None or row["fence"] != job.fence:
        raise JobError("lease_lost", job=job.id)
    if row["withdrawn"]:
        raise JobError("photos_withdrawn")
    row = await tx.fetch_one(f"{SELECT_STYLES} WHERE s.job = :job", job=job.id)
    return None if row is None else style_from_row(row)


async def _check_owner(tx: Connection, style_id: int, owner: int) -> None:
    if not await tx.execute(
        "SELECT 1 FROM styles WHERE id = :id AND owner = :owner", id=style_id, owner=owner
    ):
        raise UserError("style_unknown")


def hash_file(file: Path) -> tuple[str, int]:
    """Return a file's digest and bytes."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest(), file.stat().st_size


def _link_or_copy(file: Path, path: Path) -> None:
    """Hard-link a file, or copy it where the disk cannot link."""
    with replacing(path) as part:
        try:
            os.link(file, part)
        except OSError:
            shutil.copyfile(file, part)
    for folder in (path.parent, path.parent.parent):  # a row must not outlive its file
        sync_folder(folder)
