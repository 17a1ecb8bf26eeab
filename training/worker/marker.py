"""Which run a worker advances right now, for whoever finds the worker dead."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

RECORD_BYTES = 40  #: "<job> <fence>", padded: each record overwrites the whole of the last one


class AdvanceMarker:
    """Names the run that is advanced, in a file that is overwritten in place.

    It must outlive the process, not the machine, so nothing is synced: two small writes an event.
    A full disk takes them, too, since the file never grows.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._file = path, -1
        self._write(0, 0)

    @contextmanager
    def advancing(self, job: int, fence: int) -> Iterator[None]:
        """Name the run while the block advances it; the name stays if the block raises."""
        self._write(job, fence)
        yield
        self._write(0, 0)

    def _write(self, job: int, fence: int) -> None:
        with suppress(OSError):  # without room for the file, a crash is nobody's
            if self._file < 0:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            os.lseek(self._file, 0, os.SEEK_SET)
            os.write(self._file, f"{job} {fence}".encode().ljust(RECORD_BYTES))


def read_marker(path: Path) -> tuple[int, int] | None:
    """Return the job and the fence of the run that is advanced, None if it is none."""
    try:
        job, fence = map(int, path.read_text().split())
    except (OSError, ValueError):
        return None
    return (job, fence) if job else None
