"""A file in a folder or a zip: where it is, its size and its content; and those in a folder."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from storage.errors import UserError
from storage.photos.sandbox import MAX_FILE_BYTES, MIB, Darkroom
from storage.records import CheckedPhoto

CONTROL_CHARS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e]")
MAX_SHOWN_CHARS = 80  #: of a path in a sentence
MAX_DEPTH = 3  #: folders below the one that is read
MAX_FOLDER_FILES = 20_000  #: the rest of a folder is not looked at


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A file in a folder or zip."""

    path: PurePosixPath  #: in the folder or zip
    size: int  #: bytes
    read: Callable[[int], bytes]  #: its first bytes, at most so many; may raise UserError


async def check_entry(entry: Entry, darkroom: Darkroom) -> CheckedPhoto:
    """Return a picture's pixels and measures; raise UserError if it is not accepted."""
    if entry.size > MAX_FILE_BYTES:
        raise UserError("photo_heavy", megabytes=round(entry.size / MIB, 1))
    return await darkroom.check(await asyncio.to_thread(entry.read, entry.size))


def sort_entries(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries that are not hidden, by name."""
    shown = [each for each in entries if not is_hidden(each.path)]
    return sorted(shown, key=lambda each: each.path.parts)


def show_path(path: PurePosixPath) -> str:
    """Return a path as sentences name it: without control characters, its end if it is long."""
    shown = CONTROL_CHARS.sub("?", str(path))
    return shown if len(shown) <= MAX_SHOWN_CHARS else "…" + shown[1 - MAX_SHOWN_CHARS :]


def is_hidden(path: PurePosixPath) -> bool:
    """Return whether a system keeps a file or its folder from people's eyes."""
    return any(part.startswith(".") or part == "__MACOSX" for part in path.parts)


def list_folder(folder: Path) -> list[Entry]:
    """Return the files in a folder and, some levels deep, in its sub-folders."""
    found: list[Entry] = []
    for place, folders, files in os.walk(folder):
        inside = Path(place).relative_to(folder)
        if len(inside.parts) >= MAX_DEPTH:
            folders.clear()
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for name in files:
            path = Path(place, name)
            if path.is_file():
                where = PurePosixPath(*inside.parts, name)
                found.append(Entry(where, path.stat().st_size, partial(read_start, path)))
        if len(found) > MAX_FOLDER_FILES:
            break
    return found


def read_start(path: Path, size: int) -> bytes:
    """Return a file's first bytes, at most so many."""
    with path.open("rb") as file:
        return file.read(size)
