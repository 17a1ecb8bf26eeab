"""Waiting for room on a full disk, while what a run has learnt stays in memory."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypeVar

from safetensors import SafetensorError

from storage.disk import MIB, is_full_disk_error
from storage.events import Cancelled, Event, Note
from storage.records import JobCommand

T = TypeVar("T")
#: yields events and accepts a command at each boundary; returns the command that ended it, if any
Commanded = Generator[Event, JobCommand | None, JobCommand | None]
LOOK_SECONDS = 0.2  #: between two looks at the disk
MAX_WAIT_SECONDS = 600.0  #: between two tries, where free space tells nothing, as with a quota


def write_when_room(
    folder: Path, write: Callable[[], T], boundary: Callable[[int], Commanded], step: int
) -> Generator[Event, JobCommand | None, tuple[T, JobCommand | None]]:
    """Return what `write` returns, tried again each time when there is more room than before.

    Other jobs are served meanwhile. Also returns the last command that came, unless it cancelled.
    """
    command: JobCommand | None = None
    while True:
        try:
            return write(), command
        except (OSError, SafetensorError) as error:
            if not is_full_disk_error(error):
                raise
        found, began = shutil.disk_usage(folder).free, time.monotonic()
        yield Note("disk_full")
        while (
            shutil.disk_usage(folder).free < found + MIB
            and time.monotonic() - began < MAX_WAIT_SECONDS
        ):
            time.sleep(LOOK_SECONDS)
            command = (yield from boundary(step)) or command
            if command is JobCommand.CANCEL:
                yield Cancelled(step)
