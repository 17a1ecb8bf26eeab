"""A folder of photos on this machine, checked like a member's, made the photos of a job."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from storage.errors import UserError
from storage.folders import write
from storage.photos import Darkroom

if TYPE_CHECKING:
    from pathlib import Path

    from storage.folders import JobFolder
    from storage.records import Checked

BESIDE = frozenset({".txt", ".json", ".caption"})  #: what lies beside photos and is none


class Source(NamedTuple):
    """A photo of the job and where it came from."""

    file: str
    path: Path
    caption: str
    checked: Checked  #: without its pixels


def gather(photos: Path, folder: JobFolder) -> list[Source]:
    """Check the pictures of a folder and put them into a job's; the first bad one is an error."""
    if not photos.is_dir():
        raise UserError("folder_missing", folder=str(photos))
    found = sorted(path for path in photos.iterdir() if path.is_file())
    pictures = [p for p in found if not p.name.startswith(".") and p.suffix.lower() not in BESIDE]
    if not pictures:
        raise UserError("no_photos", name=photos.name)
    return asyncio.run(_check(pictures, folder))


async def _check(pictures: list[Path], folder: JobFolder) -> list[Source]:
    sources: dict[str, Source] = {}
    async with Darkroom() as darkroom:
        for path in pictures:
            try:
                checked = await darkroom.check(await asyncio.to_thread(path.read_bytes))
            except UserError as error:
                raise UserError(error.code, **error.facts | {"file": path.name}) from error
            if checked.digest not in sources:
                name = f"{len(sources) + 1:04}.png"
                await asyncio.to_thread(write, folder.photos / name, checked.pixels)
                judged = replace(checked, pixels=b"", preview=b"")
                sources[checked.digest] = Source(name, path, _caption(path), judged)
    return list(sources.values())


def _caption(path: Path) -> str:
    """Read the caption beside a picture, if there is one."""
    beside = path.with_suffix(".txt")
    return " ".join(beside.read_text("utf-8", "replace").split()) if beside.is_file() else ""
