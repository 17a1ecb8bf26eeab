"""The folder that backups are kept in."""

from __future__ import annotations

import errno
import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from storage.backup.manifest import FORMAT, MAX_AHEAD_SECONDS, Manifest, name_of
from storage.backup.objects import Objects
from storage.errors import UserError
from storage.folders import Home, write_json, write_whole

MARKER = "safelight-backup.json"
LOCK = "backup.lock"


@dataclass(frozen=True, slots=True)
class BackupFolder:
    """A folder with snapshots of one data folder, and nothing else."""

    path: Path

    @property
    def marker(self) -> Path:
        """The file that says whose backups these are."""
        return self.path / MARKER

    @property
    def snapshots(self) -> Path:
        """The folder of the manifests."""
        return self.path / "snapshots"

    @property
    def spare(self) -> Path:
        """The folder for what is being written; nothing in it outlives a run."""
        return self.path / "spare"

    @property
    def unfinished(self) -> Path:
        """The manifest, so far, of a snapshot that is being taken."""
        return self.path / "unfinished.json"

    @property
    def objects(self) -> Objects:
        """The contents of all files."""
        return Objects(self.path / "objects", self.spare)

    def create(self, home_key: str) -> None:
        """Make it a folder for the backups of a data folder; raise UserError if it is another's.

        Codes: "backup_occupied" if it has other files, "backup_other" if another data folder's.
        """
        if self.marker.exists():
            if self.read_home_key() != home_key:
                raise UserError("backup_other", folder=str(self.path))
            return
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(path.name != LOCK for path in self.path.iterdir()):
            raise UserError("backup_occupied", folder=str(self.path))
        write_json(self.marker, {"format": FORMAT, "home": home_key})

    def read_home_key(self) -> str:
        """Return the key of the data folder; raise UserError("backup_unknown") without backups."""
        try:
            return str(json.loads(self.marker.read_text("utf-8"))["home"])
        except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
            raise UserError("backup_unknown", folder=str(self.path)) from None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs out of the folder; raise UserError("backup_busy") if one is at work.

        What an interrupted run left half-written is removed first.
        """
        with self.held():
            shutil.rmtree(self.spare, ignore_errors=True)
            self.spare.mkdir()
            try:
                yield
            finally:
                shutil.rmtree(self.spare, ignore_errors=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock alone, for a reader, who may do without it on a disk that is read-only."""
        lock = FileLock(self.path / LOCK)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise UserError("backup_busy", folder=str(self.path)) from None
        except OSError as error:
            if error.errno not in {errno.EROFS, errno.EACCES}:
                raise
        try:
            yield
        finally:
            lock.release()

    def save(self, manifest: Manifest) -> None:
        """Write a manifest, whole or not at all; from then on the snapshot is there."""
        write_whole(self.snapshots / f"{manifest.name}.json", manifest.to_json().encode())

    def list_manifests(self) -> list[Manifest]:
        """Return the manifests, oldest first; raise UserError if one cannot be read.

        Those that a wrong clock has dated ahead count as the oldest.
        """
        latest = time.time() + MAX_AHEAD_SECONDS
        found = [
            Manifest.from_json(path.read_text("utf-8", "replace"), path.name)
            for path in self.snapshots.glob("*.json")
        ]
        return sorted(found, key=lambda each: (each.created <= latest, each.created))

    def find_free_time(self, now: float) -> float:
        """Return the first time from now on whose second no snapshot is named by."""
        while (self.snapshots / f"{name_of(now)}.json").exists():
            now += 1
        return now

    def read_unfinished(self) -> Manifest | None:
        """Return what an interrupted run had copied; None if there is none."""
        try:
            return Manifest.from_json(self.unfinished.read_text("utf-8"), self.unfinished.name)
        except (FileNotFoundError, UnicodeDecodeError, UserError):
            return None

    def remove(self, manifest: Manifest) -> None:
        """Remove a snapshot; its files go with the next sweep."""
        (self.snapshots / f"{manifest.name}.json").unlink(missing_ok=True)

    def sweep(self, *more: Manifest) -> int:
        """Remove what no snapshot names, nor one of these; return how many bytes that frees."""
        manifests = (*self.list_manifests(), *more)
        named = (file for manifest in manifests for file in manifest.files.values())
        return self.objects.sweep(named)

    def free_bytes(self) -> int:
        """Return the free bytes of its disk."""
        return shutil.disk_usage(self.path).free


def check_mounted(home: Home, folder: Path | None) -> None:
    """Raise UserError("home_vanished") if there are backups, but not the database they are of.

    The disk of the data folder is not mounted, then: what is seen is the empty mount point.
    """
    if folder is None or home.database_file.exists():
        return
    with suppress(OSError):  # the backup will tell what is wrong with its folder
        if BackupFolder(folder).marker.exists():
            raise UserError("home_vanished", folder=str(home.path), backups=str(folder))


def check_place(home: Path, folder: Path) -> None:
    """Raise UserError("backup_inside") unless the backups and the data folder are apart."""
    ours, theirs = folder.resolve(), home.resolve()
    if ours.is_relative_to(theirs) or theirs.is_relative_to(ours):
        raise UserError("backup_inside", folder=str(folder), home=str(home))


@contextmanager
def explaining_refusals(folder: Path, full: str = "backup_full") -> Iterator[None]:
    """Raise UserError for what a disk refuses.

    Codes: "backup_refused", `full` without room, "home_damaged" if a database is.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            raise UserError("home_damaged") from error
        code = full if error.sqlite_errorcode == sqlite3.SQLITE_FULL else "backup_refused"
        facts = {"folder": str(folder), "path": str(folder), "reason": str(error)}
        raise UserError(code, **facts) from error
    except OSError as error:
        code = full if error.errno in {errno.ENOSPC, errno.EDQUOT} else "backup_refused"
        reason = error.strerror or type(error).__name__
        path = str(error.filename or folder)
        raise UserError(code, folder=str(folder), path=path, reason=reason) from error
