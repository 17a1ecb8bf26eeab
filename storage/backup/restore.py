"""Bring a data folder back from a snapshot."""

from __future__ import annotations

import os
import re
import shutil
from datetime import datetime, timedelta
from pathlib import Path

from storage.backup.contents import opened
from storage.backup.folder import BackupFolder, check_place, explaining_refusals
from storage.backup.manifest import DATABASE, ROOMS, Manifest
from storage.disk import MIB
from storage.errors import UserError
from storage.folders import Home
from storage.homefolder import check_parent
from storage.tables.database import newest_migration

RESTORING = ".restoring"  #: in the data folder, until everything is there and verified
#: ids that old cards, links and nonces may name must not come to mean something else
START_IDS = """
INSERT INTO sqlite_sequence (name, seq) SELECT name, 0 FROM sqlite_schema
WHERE sql LIKE '%AUTOINCREMENT%' AND name NOT IN (SELECT name FROM sqlite_sequence)
"""
SKIP_IDS = "UPDATE sqlite_sequence SET seq = seq + 10000"
#: The scheduler finds these without their worker, and queues them again from their checkpoint.
FREE_RUNNING_JOBS = "UPDATE jobs SET attempts = 0, lease = 0 WHERE status = 'running'"


def restore(folder: Path, home: Home, when: str = "") -> Manifest:
    """Fill an empty data folder from the newest snapshot, or the newest of a time.

    Every digest is verified before anything is put in place. Jobs that ran are left to the
    scheduler, which goes on with them as after a crash. Raises UserError: "backup_…",
    "home_occupied", "home_missing", "when_bad" or "disk_low".
    """
    source, place = BackupFolder(folder), home.path / RESTORING
    source.read_home_key()
    check_place(home.path, folder)
    check_parent(home)
    with explaining_refusals(home.path, full="restore_full"), source.held():
        manifest = find_snapshot(source, when)
        check_empty(home)
        check_space(home, manifest.bytes)
        try:
            fetch(source, manifest, place)
            with opened(place / DATABASE) as database:
                for sql in (START_IDS, SKIP_IDS, FREE_RUNNING_JOBS):
                    database.execute(sql)
            os.sync()
            for name in sorted(path.name for path in place.iterdir() if path.name != DATABASE):
                (place / name).replace(home.path / name)
            (place / DATABASE).replace(home.database_file)  # last: now the folder is whole
        finally:
            shutil.rmtree(place, ignore_errors=True)
    return manifest


def find_snapshot(source: BackupFolder, when: str = "") -> Manifest:
    """Return the newest snapshot up to a time; "" is now.

    Raises UserError: "backup_none" with the names there are, or "backup_newer".
    """
    manifests, until = source.list_manifests(), read_time(when)
    found = [manifest for manifest in manifests if manifest.created <= until]
    if not manifests:
        raise UserError("backup_none_yet", folder=str(source.path))
    if not found:
        names = [manifest.name for manifest in manifests]
        raise UserError("backup_none", folder=str(source.path), names=names)
    if found[-1].schema > newest_migration():
        raise UserError("backup_newer", version=found[-1].version)
    return found[-1]


def read_time(when: str) -> float:
    """Return the unix time of a date, a time or a snapshot's name; "" is the end of all time.

    Without a zone it is this machine's time; a date means the end of that day.
    """
    if not when:
        return float("inf")
    text = re.sub(r"T(\d\d)(\d\d)(\d\d)Z$", r"T\1:\2:\3Z", when.strip())
    try:
        read = datetime.fromisoformat(text)
        full = timedelta(days=1) if re.fullmatch(r"[\d-]{8,10}", text) else timedelta(seconds=1)
        return (read.astimezone() + full).timestamp()  # what a name cuts off counts, too
    except (ValueError, OverflowError):
        raise UserError("when_bad", value=when[:100]) from None


def check_empty(home: Home) -> None:
    """Raise UserError("home_occupied") unless a data folder is missing or has only `bases/`.

    What an interrupted restore left is removed; the doctor's notes on backups do not count.
    """
    home.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = {path.name for path in home.path.iterdir()}
    if RESTORING in names and DATABASE not in names:
        for name in (*ROOMS, RESTORING):
            shutil.rmtree(home.path / name, ignore_errors=True)
        names -= {*ROOMS, RESTORING}
    if found := sorted(names - {home.bases.name, home.backup_status_file.name}):
        raise UserError("home_occupied", home=str(home.path), names=found[:5])


def check_space(home: Home, need: int) -> None:
    """Raise UserError("restore_space") if a data folder's disk has no room for so many bytes."""
    free = shutil.disk_usage(home.path).free
    if need > free:
        facts = {"need": need // MIB + 1, "free": free // MIB}
        raise UserError("restore_space", home=str(home.path), **facts)


def fetch(source: BackupFolder, manifest: Manifest, place: Path, *, link: bool = False) -> None:
    """Write a snapshot's files below a folder, verified.

    With `link`, files whose digests were verified before are only linked, where that works.

    Raises UserError: "backup_damaged", or "backup_newer" if the database's schema is newer.
    """
    for path, file in manifest.files.items():
        if link and path != DATABASE:
            source.objects.link_out(file, place / path)
        else:
            source.objects.copy_out(file, place / path)
    with opened(place / DATABASE) as database:
        if database.execute("PRAGMA user_version").fetchone()[0] > newest_migration():
            raise UserError("backup_newer", version=manifest.version)
