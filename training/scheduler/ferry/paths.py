"""Paths that arrive from another machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import Executor, Future
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
    """A file that arrives in chunks; each is written and digested while the next one travels."""

    def __init__(self, part: Path, writer: Executor) -> None:
        self.part, self.writer = part, writer
        self.size, self.hash = 0, hashlib.sha256()
        self.pending: Future[None] | None = None

    def append(self, offset: int, chunk: bytes) -> int:
        """Append a chunk if it begins where the file ends; return the file's size then.

        Raises OSError if the chunk before could not be written.
        """
        self.finish()
        if chunk and offset == self.size:
            self.size += len(chunk)
            self.pending = self.writer.submit(self._write, chunk)
        return self.size

    def finish(self) -> str:
        """Wait until all that has arrived is written; return its digest."""
        pending, self.pending = self.pending, None
        if pending is not None:
            pending.result()
        written = self.part.stat().st_size if self.part.exists() else 0
        if written != self.size or not self.part.exists():
            self._read_again()
        return self.hash.hexdigest()

    def _write(self, chunk: bytes) -> None:
        with self.part.open("ab") as file:
            file.write(chunk)
        self.hash.update(chunk)

    def _read_again(self) -> None:
        """Digest what is there: another process received it, or a chunk could not be written."""
        self.part.parent.mkdir(parents=True, exist_ok=True)
        with self.part.open("a+b") as file:
            self.size = file.tell()
            file.seek(0)
            self.hash = hashlib.file_digest(file, "sha256")


def read_version(path: Path) -> tuple[int, int, int]:
    """Return what changes when a file does."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ino
