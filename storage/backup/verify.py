"""Prove that a snapshot can be restored: restore it into a temporary folder, and open that."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from storage.backup.contents import Contents, opened
from storage.backup.folder import BackupFolder, explaining_refusals
from storage.backup.manifest import DATABASE, Manifest
from storage.backup.restore import fetch, find_snapshot
from storage.backup.write import check_database
from storage.errors import UserError
from storage.folders import Home
from storage.store import Store


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """A snapshot that can be restored."""

    manifest: Manifest
    seconds: float


def verify(folder: Path, when: str = "") -> VerifyReport:
    """Restore a snapshot into a temporary folder of the backups' disk, open it, and compare.

    Every digest is computed anew. The database must be whole and open in this version, and every
    file that its rows name must be there. Raises UserError: "backup_…" or "home_damaged".
    """
    source, began = BackupFolder(folder), time.monotonic()
    source.read_home_key()
    with explaining_refusals(folder), source.locked():
        manifest, home = find_snapshot(source, when), Home(source.spare / "home")
        check_objects(source, manifest)
        fetch(source, manifest, home.path, link=True)
        with opened(home.path / DATABASE) as database:
            check_database(database)
        asyncio.run(open_store(home))
        with opened(home.path / DATABASE) as database:
            check_files(database_contents=Contents.read(database), manifest=manifest, home=home)
    return VerifyReport(manifest, time.monotonic() - began)


def check_objects(source: BackupFolder, manifest: Manifest) -> None:
    """Raise UserError("backup_unsound") if the content of a file is missing or has changed."""
    files = manifest.files.items()
    damaged = [path for path, file in files if source.objects.remove_damaged(file)]
    if damaged:
        raise UserError("backup_unsound", count=len(damaged), file=damaged[0])


async def open_store(home: Home) -> None:
    """Open a restored folder as the bot does, with its migrations."""
    await (await Store.open(home)).close()


def check_files(database_contents: Contents, manifest: Manifest, home: Home) -> None:
    """Raise UserError("backup_lacks") if a row names a file that is not there.

    Files that the data folder itself had lost when the backup was taken are known.
    """
    lost = sorted(
        path
        for path in database_contents.files - {*manifest.missing}
        if not (home.path / path).is_file()
    )
    if lost:
        raise UserError("backup_lacks", count=len(lost), file=lost[0])
