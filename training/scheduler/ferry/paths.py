"""Paths that arrive from another machine."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

#: Files of a job folder that are appended to. They are compared and copied by their length.
GROWING = frozenset({"events.jsonl", "metrics.jsonl", "metrics.csv", "log.txt"})


def join(folder: Path, path: str) -> Path:
    """Return a path inside a folder; raise ValueError for one that is or leads elsewhere."""
    parts = PurePosixPath(path).parts
    named = parts and all(part not in {"..", "/"} and "\0" not in part for part in parts)
    if not named or "\\" in path or path != "/".join(parts):
        raise ValueError(f"not a path inside a folder: {path!r}")
    found = folder
    for part in parts:
        found /= part
        if found.is_symlink():
            raise ValueError(f"a link: {path!r}")
    return found


def check_name(name: str) -> str:
    """Return a name of one file or folder; raise ValueError for anything else."""
    if not name or name.startswith(".") or set(name) & set("/\\\0"):
        raise ValueError(f"not a name: {name!r}")
    return name


def walk(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the whole files of a job folder with their relative paths, in order."""
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in relative.parts)
        if not hidden and path.is_file() and not path.is_symlink():
            yield relative.as_posix(), path


class Digests:
    """The digests of files; each is read once for as long as it does not change."""

    def __init__(self) -> None:
        self.known: dict[Path, tuple[tuple[int, int, int], str]] = {}

    def digest(self, path: Path) -> str:
        """Return the SHA-256 of a file's content, in hex."""
        if self.known.get(path, (None, ""))[0] != read_version(path):
            with path.open("rb") as file:
                self.note(path, hashlib.file_digest(file, "sha256").hexdigest())
        return self.known[path][1]

    def note(self, path: Path, digest: str) -> None:
        """Remember what a file's digest is."""
        self.known[path] = read_version(path), digest


class Arrival:
    """A file that arrives in chunks, digested on its way."""

    def __init__(self, part: Path) -> None:
        self.part, self.size, self.hash = part, 0, hashlib.sha256()

    def append(self, offset: int, chunk: bytes) -> int:
        """Append a chunk if it begins where the file ends; return the file's size then."""
        self.part.parent.mkdir(parents=True, exist_ok=True)
        with self.part.open("a+b") as file:
            end = file.seek(0, os.SEEK_END)
            if end != self.size:  # another process received the beginning
                file.seek(0)
                self.hash, self.size = hashlib.file_digest(file, "sha256"), end
                file.seek(0, os.SEEK_END)
            if chunk and offset == end:
                file.write(chunk)
                self.hash.update(chunk)
                self.size += len(chunk)
        return self.size


def read_version(path: Path) -> tuple[int, int, int]:
    """Return what changes when a file does."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ino
