"""Take a snapshot of a data folder that is in use."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

from storage.backup.contents import Contents, opened
from storage.backup.erasures import delete_leaving, forget_erased, newest_erasure
from storage.backup.folder import BackupFolder, check_place, explaining_refusals
from storage.backup.manifest import DATABASE, Manifest, StoredFile
from storage.backup.retention import select_kept
from storage.errors import UserError
from storage.folders import Home, write_whole
from storage.tables.database import newest_migration

MAX_ROUNDS = 3  #: in which a snapshot is taken anew because something ended or went meanwhile
SPARE_MIB = 64  #: of the target's disk that stay free
NOTE_SECONDS = 10.0  #: between two notes of what was copied, for a run that is interrupted
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What a run did."""

    manifest: Manifest
    copied_bytes: int  #: that the folder did not have yet
    seconds: float
    forgotten: int  #: snapshots from which members who left were removed
    damaged: int  #: snapshots that were removed because that was impossible
    removed: int  #: snapshots that were too old to keep


def back_up(
    home: Home, folder: Path, keep: Mapping[str, int] | None = None, min_free_mib: int = 0
) -> BackupReport:
    """Take a snapshot, remove erased members from the older ones, and thin them out.

    Without `keep`, every snapshot is kept. On the data folder's own disk, `min_free_mib` stay
    free. An interrupted run leaves no snapshot behind, and the
    next one goes on with what it copied. Raises UserError: "backup_…", "backup_empty",
    "home_older", "database_newer" or "home_damaged".
    """
    check_place(home.path, folder)
    if not home.database_file.exists():
        raise UserError("backup_empty", home=str(home.path))
    with explaining_refusals(folder), opened(home.database_file) as live:
        check_schema(live)
        target, began = BackupFolder(folder), time.monotonic()
        target.create(read_home_key(live))
        with target.locked():
            spare = min_free_mib if same_disk(home.path, folder) else 0
            writer = Writer(home, live, target, max(SPARE_MIB, spare))
            forgotten, damaged, manifest = writer.take()
            removed = thin_out(target, keep)
            target.unfinished.unlink(missing_ok=True)
            target.sweep()
    seconds = time.monotonic() - began
    return BackupReport(manifest, writer.copied_bytes, seconds, forgotten, damaged, removed)


def same_disk(one: Path, other: Path) -> bool:
    """Return whether two folders share a disk."""
    return one.stat().st_dev == other.stat().st_dev


def check_schema(live: sqlite3.Connection) -> None:
    """Raise UserError unless a database has the newest schema that this version knows."""
    (schema,), newest = live.execute("PRAGMA user_version").fetchone(), newest_migration()
    if schema > newest:
        raise UserError("database_newer", version=schema, newest=newest)
    if schema < newest:
        raise UserError("home_older")


def read_home_key(live: sqlite3.Connection) -> str:
    """Return the random key of a data folder."""
    return str(live.execute("SELECT key FROM identity").fetchone()[0])


def thin_out(target: BackupFolder, keep: Mapping[str, int] | None) -> int:
    """Remove the snapshots that are too old to keep; return how many."""
    manifests = target.list_manifests()
    kept = manifests if keep is None else select_kept(manifests, keep)
    gone = [each for each in manifests if each not in kept]
    for manifest in gone:
        target.remove(manifest)
    return len(gone)


@dataclass(slots=True)
class Writer:
    """One run that takes a snapshot."""

    home: Home
    live: sqlite3.Connection
    target: BackupFolder
    spare_mib: int = SPARE_MIB
    copied_bytes: int = 0
    known: dict[str, StoredFile] = field(default_factory=dict)  #: by path, of earlier snapshots
    seen: dict[tuple[int, int], StoredFile] = field(default_factory=dict)  #: by device and inode
    noted: float = field(default_factory=time.monotonic)

    def take(self) -> tuple[int, int, Manifest]:
        """Return what `forget_erased` did to older snapshots, and the new one, which is saved.

        The database is copied first and the files after it. Whatever was deleted or has ended in
        between is noticed, and the snapshot is taken anew; what was copied is not copied again.
        """
        manifest, contents = self.copy_database()
        self.learn_known(contents)
        forgotten, damaged = forget_erased(self.target, self.live)
        self.target.sweep(replace(manifest, files={**manifest.files, **self.known}))
        self.check_room(contents)
        for _ in range(MAX_ROUNDS):
            manifest = self.copy_files(manifest, contents)
            if self.is_settled(manifest, contents):
                break
            manifest, contents = self.copy_database()
        self.target.save(manifest)
        return forgotten, damaged, manifest

    def copy_database(self) -> tuple[Manifest, Contents]:
        """Copy the database; return a manifest that has only that, and what its rows name.

        `VACUUM INTO` reads one state and keeps no writer waiting. SQLite's backup API begins anew
        whenever another connection writes, so beside a bot it would never end.
        """
        created, copy = self.target.find_free_time(time.time()), self.target.spare / DATABASE
        copy.unlink(missing_ok=True)
        self.check_space(self.database_bytes())
        self.live.execute("VACUUM INTO ?", [str(copy)])
        with opened(copy) as database:
            delete_leaving(database)
            check_database(database)
            contents, erasures = Contents.read(database), newest_erasure(database)
        stored = self.target.objects.add(copy)
        copy.unlink()
        bases = sorted(path.name for path in self.home.bases.glob("[!.]*"))
        manifest = Manifest(
            created,
            version("safelight"),
            newest_migration(),
            erasures,
            {DATABASE: stored},
            bases=tuple(bases),
        )
        return manifest, contents

    def database_bytes(self) -> int:
        """Return the size of the database."""
        pages, size = (
            self.live.execute(f"PRAGMA page_{n}").fetchone()[0] for n in ("count", "size")
        )
        return int(pages * size)

    def learn_known(self, contents: Contents) -> None:
        """Remember the files of the newest snapshot, and of a run that was interrupted."""
        earlier = (*self.target.list_manifests()[-1:], self.target.read_unfinished())
        for manifest in filter(None, earlier):
            files = manifest.files.items()
            self.known |= {path: file for path, file in files if contents.has(path)}
        self.known.pop(DATABASE, None)

    def check_room(self, contents: Contents) -> None:
        """Raise UserError("backup_space") if the target has no room for the files that are new."""
        new = 0
        for path, place in contents.walk(self.home.path):
            with suppress(FileNotFoundError):
                new += 0 if self.find_known(path, place) else place.stat().st_size
        self.check_space(new)

    def check_space(self, new: int) -> None:
        """Raise UserError("backup_space") if the target has no room for so many bytes."""
        free = self.target.free_bytes() - self.spare_mib * MIB
        if new > free:
            folder, free_mib = str(self.target.path), max(0, free) // MIB
            raise UserError("backup_space", folder=folder, need=new // MIB + 1, free=free_mib)

    def copy_files(self, manifest: Manifest, contents: Contents) -> Manifest:
        """Return the manifest with every file that the rows name, and those that are missing."""
        files, missing = dict(manifest.files), []
        for path, place in contents.walk(self.home.path):
            try:
                files[path] = self.known[path] = self.copy_file(path, place)
            except FileNotFoundError:
                if path in contents.files:
                    missing.append(path)
            if time.monotonic() - self.noted > NOTE_SECONDS:
                self.note(manifest)
        self.note(manifest)
        return replace(manifest, files=files, missing=tuple(missing))

    def copy_file(self, path: str, place: Path) -> StoredFile:
        """Copy a file, unless an earlier snapshot has it."""
        if place.suffix == ".jsonl":
            content = place.read_bytes()
            whole = content[: content.rfind(b"\n") + 1]  # the worker is still writing the rest
            return self.target.objects.add_bytes(whole)
        status = place.stat()
        inode = (status.st_dev, status.st_ino)
        if (file := self.find_known(path, place) or self.seen.get(inode)) is None:
            file = self.target.objects.add(place)
            self.copied_bytes += file.bytes
        self.seen[inode] = file
        return file

    def find_known(self, path: str, place: Path) -> StoredFile | None:
        """Return a file's content if it is in the folder and the file is unchanged since."""
        file, status = self.known.get(path), place.stat()
        same = file and (file.bytes, file.mtime_ns) == (status.st_size, status.st_mtime_ns)
        return file if file and same and self.target.objects.has(file) else None

    def note(self, manifest: Manifest) -> None:
        """Write down what is copied, for a run that goes on if this one is interrupted."""
        self.noted = time.monotonic()
        so_far = replace(manifest, files={**manifest.files, **self.known})
        write_whole(self.target.unfinished, so_far.to_json().encode())

    def is_settled(self, manifest: Manifest, contents: Contents) -> bool:
        """Return whether nothing was deleted or has ended while the files were copied."""
        now = Contents.read(self.live)
        gone = [path for path in manifest.missing if path not in now.files]
        return not gone and contents.trainings <= now.trainings


def check_database(database: sqlite3.Connection) -> None:
    """Raise UserError("home_damaged") unless a database is whole."""
    found: Sequence[sqlite3.Row] = database.execute("PRAGMA quick_check(1)").fetchall()
    if found[0][0] != "ok":
        raise UserError("home_damaged")
