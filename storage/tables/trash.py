"""Remove the files of deleted rows: after the commit, or at the next start after a crash.

Triggers (`storage/migrations`) put the files of deleted rows into the table `trash`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
from pathlib import Path

from storage.folders import Home
from storage.photofiles import is_same_photo
from storage.tables.database import Database

log = logging.getLogger(__name__)

DELETE_ENTRY = "DELETE FROM trash WHERE kind = :kind AND key = :key"
#: With a member's rows go their traces: in copies of the database, its gaps and its log.
ADD_TRACES = "INSERT OR IGNORE INTO trash VALUES ('traces', '')"


class Trash:
    """The table of files to be removed."""

    def __init__(self, database: Database, home: Home) -> None:
        self._database, self._home = database, home

    async def sweep(self) -> None:
        """Remove all of these files; those that cannot be removed are tried again next time."""
        for kind, key in await self._database.execute("SELECT kind, key FROM trash"):
            try:
                if kind == "photo":
                    await self._remove_photo(key)
                elif kind == "traces":
                    await self._remove_traces()
                else:
                    await self._remove_folder(kind, key)
            except OSError:
                log.exception("Cannot remove the files of %s %s", kind, key)

    async def _remove_traces(self) -> None:
        await self._database.remove_snapshots()
        if await self._database.rewrite() and await self._database.empty_log():  # else next time
            await self._database.execute(DELETE_ENTRY, kind="traces", key="")

    async def _remove_folder(self, kind: str, key: str) -> None:
        for path in self._list_paths(kind, key):
            await asyncio.to_thread(remove_path, path)
        await self._database.execute(DELETE_ENTRY, kind=kind, key=key)

    async def _remove_photo(self, digest: str) -> None:
        async with self._database.transaction() as tx:  # so nobody adds the same picture now
            if not await tx.execute("SELECT 1 FROM photos WHERE digest = :digest", digest=digest):
                for path in (self._home.photo_file(digest), self._home.preview_file(digest)):
                    await asyncio.to_thread(self._remove_everywhere, path)
            await tx.execute(DELETE_ENTRY, kind="photo", key=digest)

    def _remove_everywhere(self, path: Path) -> None:
        """Remove a file, also where an earlier database left it to the quarantine."""
        aside = self._home.quarantine
        names = [path, *aside.glob(f"*/{path.relative_to(self._home.path)}")]
        file = next((name for name in names if name.is_file()), None)
        for copy in aside.glob(f"*/runs/*/photos/*{path.suffix}"):
            if file is not None and is_same_photo(file, copy):
                remove_path(copy)
        for name in names:
            remove_path(name)

    def _list_paths(self, kind: str, name: str) -> tuple[Path, ...]:
        run, style = self._home.job_folder(name), self._home.styles / name
        # what a job that ended no longer needs; a sample's style may be another member's
        copies = (run.photos, run.class_images, run.checkpoints, run.style_file, *run.grid_styles)
        known = {"copies": copies, "result": (run.result,), "kept": (run.kept,)}
        known["style"] = (style,)
        return known.get(kind, (run.path,))


def remove_path(path: Path) -> None:
    """Remove a file or a folder; does nothing if it is missing."""
    while path.is_dir():
        with contextlib.suppress(FileNotFoundError):  # another process removes it, too
            shutil.rmtree(path)
    path.unlink(missing_ok=True)
