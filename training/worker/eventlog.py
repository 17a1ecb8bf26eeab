"""`events.jsonl`: written by the worker line by line, read by the scheduler from any byte on."""

from __future__ import annotations

import errno
import json
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import cast

from storage.eventlines import read_line
from storage.events import Ending, Event, LogEntry

log = logging.getLogger(__name__)


class EventLog:
    """Appends events to a file. Lines that a full disk refuses wait until it has room."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pending: list[bytes] = []
        self.refused = False  #: whether the last try to write failed
        self._truncate_partial_line()

    def write(self, entry: LogEntry[Event]) -> None:
        """Append an event; one that ends the run is on the disk when this returns."""
        self.pending.append(json.dumps(entry.to_line(), ensure_ascii=False).encode() + b"\n")
        self.flush(sync=isinstance(entry.event, Ending))

    def flush(self, *, sync: bool = False) -> bool:
        """Write the pending lines; return whether all of them are written."""
        try:
            while self.pending:
                self._append(self.pending[0], sync=sync)
                self.pending.pop(0)
        except OSError as full:
            if not self.refused:
                log.warning("%s cannot be written for now: %s", self.path, full)
        self.refused = bool(self.pending)
        return not self.pending

    def _append(self, line: bytes, *, sync: bool) -> None:
        """Append a line whole or not at all."""
        with self.path.open("ab", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            if file.write(line) != len(line):
                file.truncate(end)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if sync:
                os.fsync(file.fileno())

    def _truncate_partial_line(self) -> None:
        """Cut off the line that a killed worker left unfinished; nobody has read it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        content = self.path.read_bytes() if self.path.exists() else b""
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(self.path, whole)


def read_entries(path: Path, start: int = 0) -> tuple[list[LogEntry[Event]], int]:
    """Return the events of the whole lines from a byte on, and the byte after them."""
    try:
        with path.open("rb") as file:
            if file.seek(0, os.SEEK_END) <= start:
                return [], start
            file.seek(start)
            content = file.read()
    except FileNotFoundError:
        return [], start
    whole = content[: content.rfind(b"\n") + 1]
    entries = [entry for line in whole.splitlines() if (entry := _read_line(line))]
    return entries, start + len(whole)


def find_unread(path: Path, read: int) -> int:
    """Return the byte from which on a file is unread, of which so many bytes were read before.

    A power cut may take back lines that were read, or leave zeros in their place.
    """
    try:
        with path.open("rb") as file:
            content = file.read(read)
    except FileNotFoundError:
        return 0
    return content.rfind(b"\n") + 1


def find_ending(path: Path, fence: int) -> LogEntry[Ending] | None:
    """Return how the run under a fence ended, None if it has not."""
    return last_ending(read_entries(path)[0], fence)


def last_ending(entries: Iterable[LogEntry[Event]], fence: int) -> LogEntry[Ending] | None:
    """Return the last of these events that ends the run under a fence."""
    found = [e for e in entries if e.fence == fence and isinstance(e.event, Ending)]
    return cast("LogEntry[Ending]", found[-1]) if found else None


def _read_line(line: bytes) -> LogEntry[Event] | None:
    try:
        return read_line(json.loads(line))
    except (ValueError, KeyError, TypeError, AttributeError):
        log.warning("A line is not an event: %r", line[:80])
        return None
