"""The contents of files, each once, named by its digest."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from storage.backup.manifest import StoredFile
from storage.errors import UserError

CHUNK_BYTES = 1 << 20
SYNC_CHUNKS = 16  #: written between two waits for the disk, so that it never has much to catch up


class Objects:
    """`objects/` of a backup folder."""

    def __init__(self, path: Path, spare: Path) -> None:
        self.path, self.spare = path, spare  #: objects are written in `spare`, whole or not at all

    def find(self, file: StoredFile) -> Path:
        """Return where the content of a file is."""
        return self.path / file.sha256[:2] / file.sha256

    def has(self, file: StoredFile) -> bool:
        """Return whether the content of a file is there, in its whole size."""
        try:
            return self.find(file).stat().st_size == file.bytes
        except FileNotFoundError:
            return False

    def add(self, source: Path) -> StoredFile:
        """Copy a file's content into the store; raise FileNotFoundError if it is gone.

        It rests as long as it works, so that it never takes more than half of the disk's time.
        """
        self.spare.mkdir(parents=True, exist_ok=True)
        part = self.spare / "object.part"
        with source.open("rb") as reading, part.open("wb") as writing:
            before = os.fstat(reading.fileno())
            digest = copy_slowly(reading, writing)
        file = StoredFile(digest, part.stat().st_size, before.st_mtime_ns)
        return self._take(part, file)

    def add_bytes(self, content: bytes) -> StoredFile:
        """Put a file's content into the store."""
        self.spare.mkdir(parents=True, exist_ok=True)
        part = self.spare / "object.part"
        with part.open("wb") as writing:
            writing.write(content)
            writing.flush()
            os.fsync(writing.fileno())
        return self._take(part, StoredFile(hashlib.sha256(content).hexdigest(), len(content)))

    def _take(self, part: Path, file: StoredFile) -> StoredFile:
        place = self.find(file)
        if self.has(file):
            part.unlink()
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            part.replace(place)
        return file

    def copy_out(self, file: StoredFile, target: Path) -> None:
        """Copy a file's content to a path; raise UserError("backup_damaged") if it differs."""
        target.parent.mkdir(parents=True, exist_ok=True)
        hashed = hashlib.sha256()
        try:
            with self.find(file).open("rb") as reading, target.open("xb") as writing:
                while chunk := reading.read(CHUNK_BYTES):
                    hashed.update(chunk)
                    writing.write(chunk)
            os.utime(target, ns=(file.mtime_ns, file.mtime_ns))  # known to the next backup
        except FileNotFoundError:
            raise UserError("backup_damaged", digest=file.sha256) from None
        if hashed.hexdigest() != file.sha256:
            raise UserError("backup_damaged", digest=file.sha256)

    def link_out(self, file: StoredFile, target: Path) -> None:
        """Link a file's content to a path, or copy it where the disk cannot link."""
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(self.find(file), target)
        except OSError:
            self.copy_out(file, target)

    def remove_damaged(self, file: StoredFile) -> bool:
        """Remove a file's content if it has changed, so that the next backup copies it anew.

        Returns whether it was damaged or missing.
        """
        try:
            with self.find(file).open("rb") as content:
                whole = hashlib.file_digest(content, "sha256").hexdigest() == file.sha256
        except FileNotFoundError:
            return True
        if not whole:
            self.find(file).unlink()
        return not whole

    def sweep(self, named: Iterable[StoredFile]) -> int:
        """Remove every object that is not among these files; return how many bytes that frees."""
        kept, freed = {file.sha256 for file in named}, 0
        for path in self.path.glob("??/*"):
            if path.name not in kept:
                freed += path.stat().st_size
                path.unlink()
        return freed


def copy_slowly(reading: BinaryIO, writing: BinaryIO) -> str:
    """Copy a file while others use the disk; return its SHA-256, hex."""
    hashed = hashlib.sha256()
    chunks, began = 0, time.monotonic()
    while chunk := reading.read(CHUNK_BYTES):
        hashed.update(chunk)
        writing.write(chunk)
        chunks += 1
        if chunks % SYNC_CHUNKS == 0:
            writing.flush()
            os.fsync(writing.fileno())
        time.sleep(time.monotonic() - began)
        began = time.monotonic()
    writing.flush()
    os.fsync(writing.fileno())
    return hashed.hexdigest()
