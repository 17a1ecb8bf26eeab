"""Put what belongs to no row into quarantine, so that it is never handed to another member.

A folder in `runs/` or `styles/` belongs to the row with its id and key, a photo to those with its
digest. Whatever else lies there came with another database. The process that owns the queue sorts
it at its start, while no worker writes.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from storage.carefultime import read_careful_time
from storage.folders import ASIDE_DAYS, Home, JobFolder
from storage.tables.database import Database

log = logging.getLogger(__name__)

#: what tells two jobs of the same id apart, in the request of a job and in its folder's `job.json`
TELLING = ("name", "trigger", "seed", "prompt", "captioner")
FOLDERS = {
    "runs": "SELECT id || '-' || key AS folder FROM jobs",
    "styles": "SELECT id || '-' || key AS folder FROM styles",
}
KNOWN_DIGESTS = "SELECT digest FROM photos UNION SELECT key FROM trash WHERE kind = 'photo'"
#: rows of before there were keys got theirs from their time (`migrations/0007_keys.sql`)
IS_OLD = "id = :id AND key = printf('%014x', CAST(created * 1000000 AS INTEGER))"


class Orphans:
    """Folders and photos of no row."""

    def __init__(self, database: Database, home: Home) -> None:
        self._database, self._home = database, home

    def has_old(self) -> bool:
        """Return whether folders of before there were keys still wait for the scheduler."""
        folders = (path for kind in FOLDERS for path in list_files(self._home.path / kind))
        return any(path.name.isdigit() for path in folders)

    async def find_runs(self) -> list[Path]:
        """Return the folders in `runs/` that are not of a job: a worker may still write there."""
        known = await self._list_known("runs")
        return [path for path in list_files(self._home.runs) if path.name not in known]

    async def sort(self) -> int:
        """Move what belongs to no row into quarantine, and back what belongs to one after all.

        Returns how many folders and photos were moved into quarantine. No worker may be alive
        that writes into one of `find_runs`.
        """
        moved = [await self._sort_folders(kind) for kind in FOLDERS]
        async with self._database.transaction() as tx:  # so that nobody adds a photo meanwhile
            known = {str(row["digest"]) for row in await tx.execute(KNOWN_DIGESTS)}
            moved += [
                await asyncio.to_thread(self._sort_photos, kind, known)
                for kind in ("photos", "previews")
            ]
        if count := sum(moved):
            log.warning(
                "%s folders and photos belong to no row of the database. They are in %s and are"
                " deleted after %s days. If the database is the wrong one, put the right one back:"
                " what belongs to it returns at the next start.",
                *(count, self._home.quarantine, ASIDE_DAYS),
            )
        await self.expire()
        return count

    async def expire(self) -> None:
        """Delete what has been in quarantine for `ASIDE_DAYS`."""
        now = await asyncio.to_thread(read_careful_time, self._home)
        until = (datetime.fromtimestamp(now, UTC) - timedelta(days=ASIDE_DAYS)).date().isoformat()
        for day in list_files(self._home.quarantine):
            if day.name <= until:
                log.info("%s is deleted: nobody missed it in %s days", day, ASIDE_DAYS)
                await asyncio.to_thread(shutil.rmtree, day, ignore_errors=True)

    async def _list_known(self, kind: str) -> set[str]:
        return {str(row["folder"]) for row in await self._database.execute(FOLDERS[kind])}

    async def _sort_folders(self, kind: str) -> int:
        known, moved = await self._list_known(kind), 0
        for path in (*list_files(self._home.path / kind), *self._list_quarantined(kind)):
            name = path.name if path.name in known else await self._find_old_owner(kind, path)
            if name is None and path.is_dir() and not any(path.iterdir()):
                path.rmdir()  # what died had only begun
                continue
            moved += await asyncio.to_thread(
                self._move, path, None if name is None else self._home.path / kind / name
            )
        return moved

    async def _find_old_owner(self, kind: str, path: Path) -> str | None:
        """Return the name of a folder of before there were keys, if what is in it is its row's."""
        if not path.name.isdigit():
            return None
        table = "jobs" if kind == "runs" else "styles"
        sql = f"SELECT *, id || '-' || key AS folder FROM {table} WHERE {IS_OLD}"
        row = await self._database.fetch_one(sql, id=int(path.name))
        if row is None:
            return None
        if kind == "runs":
            ours = is_job_of(JobFolder(path), row["kind"], json.loads(row["request"]))
        else:
            ours = await asyncio.to_thread(is_style_of, path, row["digest"])
        return str(row["folder"]) if ours else None

    def _sort_photos(self, kind: str, known: set[str]) -> int:
        here, moved = self._home.path / kind, 0
        for top in (here, *(day / kind for day in list_files(self._home.quarantine))):
            for folder in list_files(top):
                for path in list_files(folder):
                    owned = path.stem in known
                    moved += self._move(path, here / folder.name / path.name if owned else None)
        return moved

    def _move(self, path: Path, owned: Path | None) -> bool:
        """Move a path to where its row looks for it, else into quarantine; return if into that."""
        if path == owned:
            return False
        found = owned is not None and not owned.exists()
        if not found and self._home.quarantine in path.parents:
            return False
        inside = path.relative_to(self._home.path)
        try:
            aside = self._home.quarantine / name_day(path) / inside
            target = owned if owned is not None and found else find_free(aside)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, target)
        except OSError:  # it stays where no row looks for it
            log.exception("Cannot move %s", path)
        return not found

    def _list_quarantined(self, kind: str) -> Iterator[Path]:
        for day in list_files(self._home.quarantine):
            yield from list_files(day / kind)


def list_files(folder: Path) -> Iterable[Path]:
    """List a folder, which may be missing, without files that are just being written."""
    with suppress(FileNotFoundError, NotADirectoryError):
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    return ()


def name_day(path: Path) -> str:
    """Return today's date, or that of a path if it is later: the clock may not be set yet."""
    return datetime.fromtimestamp(max(time.time(), path.stat().st_mtime), UTC).date().isoformat()


def find_free(path: Path) -> Path:
    """Return a path, with a number behind its name if there is such a one already."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}.{number}")
    return free


def is_job_of(folder: JobFolder, kind: str, request: dict[str, object]) -> bool:
    """Return whether a folder was laid out for a job of this kind and request."""
    try:
        content = folder.read_request()
        asked = content.get("recipe") or content["request"]
        common = [key for key in TELLING if key in asked and key in request]
        same = all(asked[key] == request[key] for key in common)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    return content.get("kind") == kind and bool(common) and same


def is_style_of(folder: Path, digest: str) -> bool:
    """Return whether a folder holds the file with a style's digest."""
    for path in list_files(folder):
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == digest:
                return True
    return False
