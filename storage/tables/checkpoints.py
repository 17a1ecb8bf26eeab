"""The checkpoints of finished trainings: one is the style's file, the others are kept a while."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from storage.errors import UserError
from storage.folders import Home, JobFolder, link_file, sync_folder
from storage.records import Style
from storage.tables.database import Database
from storage.tables.styles import SELECT_STYLES, hash_file, style_from_row
from storage.tables.trash import remove_path

KEPT_STYLE = re.compile(r"step-(\d{6,9})\.safetensors")
#: in a style's folder: the file that is to become the style's; a crash may leave it
NEXT = ".next.safetensors"
SELECT_RUNS = """
SELECT id, id || '-' || key AS folder FROM jobs
WHERE style = :style AND kind = 'train' ORDER BY id
"""
SELECT_OWN_RUNS = """
SELECT id || '-' || key AS folder FROM jobs
WHERE owner = :owner AND kind = 'train' AND style IS NOT NULL
"""
CHOOSE = """
UPDATE styles SET checkpoint = :step, digest = :digest, bytes = :bytes
WHERE id = :id AND owner = :owner AND removed IS NULL RETURNING *, NULL AS shared
"""
SELECT_OLD = """
SELECT id || '-' || key AS folder, json_extract(request, '$.name') AS name FROM jobs
WHERE kind = 'train' AND ended < :before AND NOT EXISTS (
  SELECT 1 FROM jobs AS later WHERE later.style = jobs.style AND later.kind = 'train'
  AND later.ended >= :before)
"""


@dataclass(frozen=True, slots=True)
class StyleCheckpoint:
    """A style as it was after a step of a training."""

    job: int
    step: int
    folder: JobFolder  #: of that training

    @property
    def file(self) -> Path:
        """The style's file as it was then."""
        return self.folder.kept_style(self.step)


class Checkpoints:
    """What is kept of the trainings of styles, on the disk alone."""

    def __init__(self, database: Database, home: Home) -> None:
        self._database, self._home = database, home
        self._lock = asyncio.Lock()

    async def list_for(self, style: Style) -> list[StyleCheckpoint]:
        """Return the kept checkpoints of a style, by their steps."""
        rows = await self._database.execute(SELECT_RUNS, style=style.id)
        return await asyncio.to_thread(self._list_kept, [(r["id"], r["folder"]) for r in rows])

    async def sum_bytes(self, owner: int) -> int:
        """Return the bytes that are kept of a member's trainings, but for their styles' files."""
        rows = await self._database.execute(SELECT_OWN_RUNS, owner=owner)
        return await asyncio.to_thread(self._sum_kept, [row["folder"] for row in rows])

    async def choose(self, style: Style, owner: int, checkpoint: StyleCheckpoint) -> None:
        """Make a checkpoint the style's file.

        Raises UserError: "checkpoint_gone" if it is no longer kept, or "style_unknown". A crash
        leaves the old file with the old row, or what `finish_choices` completes.
        """
        folder = self._home.styles / style.folder
        async with self._lock:
            try:
                await asyncio.to_thread(link_file, checkpoint.file, folder / NEXT)
            except FileNotFoundError as gone:
                raise UserError("checkpoint_gone", step=checkpoint.step) from gone
            await asyncio.to_thread(sync_folder, folder)
            digest, size = await asyncio.to_thread(hash_file, folder / NEXT)
            facts = {"id": style.id, "owner": owner, "step": checkpoint.step}
            rows = await self._database.execute(CHOOSE, digest=digest, bytes=size, **facts)
            if not rows:
                await asyncio.to_thread(remove_path, folder / NEXT)
                raise UserError("style_unknown")
            await asyncio.to_thread(self._finish, style_from_row(rows[0]))

    async def finish_choices(self) -> None:
        """Finish what a crash left between row and file; only who chooses may call this."""
        rows = await self._database.execute(f"{SELECT_STYLES} WHERE s.removed IS NULL")
        await asyncio.to_thread(self._finish, *map(style_from_row, rows))

    async def remove_old(self, before: float) -> None:
        """Remove what is kept of trainings that ended before a time, and were not gone on from."""
        rows = await self._database.execute(SELECT_OLD, before=before)
        await asyncio.to_thread(self._remove_kept, [(row["folder"], row["name"]) for row in rows])

    def _list_kept(self, runs: list[tuple[int, str]]) -> list[StyleCheckpoint]:
        found = dict[int, StyleCheckpoint]()
        for job, name in runs:
            folder = self._home.job_folder(name)
            for path in folder.kept.glob("step-*.safetensors"):
                if match := KEPT_STYLE.fullmatch(path.name):
                    found[int(match[1])] = StyleCheckpoint(job, int(match[1]), folder)
        return [found[step] for step in sorted(found)]

    def _sum_kept(self, runs: list[str]) -> int:
        """Return the bytes of files that have no other name, as a style's own file has."""
        found = 0
        for run in runs:
            for path in self._home.job_folder(run).kept.glob("*"):
                with suppress(FileNotFoundError):  # it goes meanwhile
                    stat = path.stat()
                    found += stat.st_size * (stat.st_nlink == 1)
        return found

    def _finish(self, *styles: Style) -> None:
        """Put the next file of a style in its place if its row tells of it, else remove it."""
        for style in styles:
            path = self._home.style_file(style.folder, style.name)
            following = path.with_name(NEXT)
            if not following.exists():
                continue
            if hash_file(following)[0] == style.digest:
                following.replace(path)
                sync_folder(path.parent)
            else:
                following.unlink()

    def _remove_kept(self, runs: list[tuple[str, str]]) -> None:
        """Remove what is kept, and results that are no longer any style's file."""
        for run, name in runs:
            folder = self._home.job_folder(run)
            if folder.kept.exists():
                remove_path(folder.kept)
                result = folder.result / f"{name}.safetensors"
                with suppress(FileNotFoundError):
                    if result.stat().st_nlink == 1:
                        result.unlink()
