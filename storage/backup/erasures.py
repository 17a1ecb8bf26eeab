"""Remove members who left from snapshots that were taken before."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from storage.backup.contents import Contents, opened
from storage.backup.folder import BackupFolder
from storage.backup.manifest import DATABASE, Manifest
from storage.errors import UserError
from storage.tables.database import Database, newest_migration
from storage.tables.erasures import hash_member
from storage.tables.members import ERASE_STATEMENTS
from storage.tables.withdrawal import (
    DELETE_COMPARISONS,
    DELETE_PHOTOS,
    REMOVE_THEIR_READERS,
    THEIR_JOBS,
    WITHDRAW_CONSENTS,
)

LIST_MEMBERS = """
SELECT member FROM consents UNION SELECT owner FROM datasets UNION SELECT owner FROM photos
UNION SELECT owner FROM jobs UNION SELECT requested_by FROM jobs UNION SELECT owner FROM styles
UNION SELECT owner FROM drafts UNION SELECT contributor FROM photos
UNION SELECT member FROM contributors UNION SELECT member FROM style_contributors
UNION SELECT member FROM watchers UNION SELECT member FROM posts UNION SELECT member FROM likes
UNION SELECT owner FROM studies UNION SELECT owner FROM comparisons UNION SELECT member FROM votes
UNION SELECT reporter FROM reports UNION SELECT facts ->> 'by' FROM events
"""
#: A style that the member left on its servers stays there without a name.
KEEP_UNOWNED = """
UPDATE styles SET owner = NULL, job = NULL
WHERE owner = :member AND id IN (SELECT value FROM json_each(:unowned))
"""
#: As `Jobs.purge` does once a job of a member who left has ended.
DELETE_LEAVING = (
    "DELETE FROM styles WHERE job IN (SELECT id FROM jobs WHERE purge)",
    "DELETE FROM jobs WHERE purge",
)
#: Photos whose consent was withdrawn go with the trainings that have copies of them; the receipt
#: says so after a restore, too.
TAKE_BACK = (
    DELETE_COMPARISONS,
    f"DELETE FROM jobs WHERE {THEIR_JOBS}",
    *REMOVE_THEIR_READERS,
    DELETE_PHOTOS,
    WITHDRAW_CONSENTS,
)


class Erasure(NamedTuple):
    """What was erased since a snapshot."""

    member: str  #: as `hash_member` writes them
    at: float
    photos: bool  #: only those, all or in a dataset
    dataset: int | None


def delete_leaving(database: sqlite3.Connection) -> None:
    """Delete the jobs of members who left while these ran."""
    for sql in DELETE_LEAVING:
        database.execute(sql)


def newest_erasure(database: sqlite3.Connection) -> int:
    """Return the id of the last member who was erased, 0 before the first."""
    sql = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'erasures'"
    return int(database.execute(sql).fetchone()[0])


def forget_erased(target: BackupFolder, live: sqlite3.Connection) -> tuple[int, int]:
    """Remove erased members from every snapshot.

    A snapshot whose database is damaged cannot be restored, nor freed of anybody: it is removed.
    Returns how many snapshots had a member, and how many were damaged. The files that only these
    had go with the next sweep of the folder.
    """
    newest, changed, damaged = newest_erasure(live), 0, 0
    key = str(live.execute("SELECT key FROM identity").fetchone()[0])
    styles = live.execute("SELECT id FROM styles WHERE owner IS NULL").fetchall()
    unowned = json.dumps([row[0] for row in styles])
    for manifest in target.list_manifests():
        sql = "SELECT member, at, photos, dataset FROM erasures WHERE id > :known"
        erased = [Erasure(*row) for row in live.execute(sql, {"known": manifest.erasures})]
        if erased:
            try:
                less = forget(target, manifest, erased, (key, unowned))
            except (UserError, sqlite3.DatabaseError) as error:
                if isinstance(error, sqlite3.OperationalError):  # a full disk: try again
                    raise
                target.remove(manifest)
                damaged += 1
                continue
            changed += less.files != manifest.files
            target.save(replace(less, erasures=newest))
    return changed, damaged


def forget(
    target: BackupFolder, manifest: Manifest, erased: Sequence[Erasure], known: tuple[str, str]
) -> Manifest:
    """Return a snapshot without the members who left, and without photos that were taken back.

    Known are the data folder's key, and which styles to keep without an owner, as JSON.
    """
    key, unowned = known
    copy, clean = target.spare / "members.db", target.spare / "clean.db"
    for path in (copy, clean):
        path.unlink(missing_ok=True)
    target.objects.copy_out(manifest.files[DATABASE], copy)
    asyncio.run(migrate(copy))
    with opened(copy) as database:
        members = [row[0] for row in database.execute(LIST_MEMBERS) if row[0] is not None]
        by_hash = {hash_member(key, member): member for member in members}
        found = [each for each in erased if each.member in by_hash]
        if not found:
            return manifest
        for each in found:
            facts = {"member": by_hash[each.member], "unowned": unowned, "dataset": each.dataset}
            for sql in TAKE_BACK if each.photos else (KEEP_UNOWNED, *ERASE_STATEMENTS):
                database.execute(sql, facts | {"now": each.at})
        delete_leaving(database)
        database.execute("VACUUM INTO ?", [str(clean)])
        contents = Contents.read(database)
    kept = {path: file for path, file in manifest.files.items() if contents.has(path)}
    kept[DATABASE] = target.objects.add(clean)
    return replace(manifest, files=kept, schema=newest_migration())


async def migrate(path: Path) -> None:
    """Bring a snapshot's database to the newest schema, which the statements are written for."""
    await (await Database.open(path, snapshot=False)).close()
