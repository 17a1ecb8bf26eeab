"""Checkpoints written in a thread, from a snapshot: the steps go on while the disk is busy.

One write at a time. A write that fails is reported and loses nothing: the checkpoint before it is
still there, and the next write is tried as usual.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Self

from safetensors import SafetensorError

from storage.disk import is_full_disk_error
from storage.events import CheckpointSaved, Event, Note
from storage.folders import JobFolder
from training.pictures import write_picture
from training.run import checkpoint
from training.run.checkpoint import Snapshot
from training.run.curve import draw_curve

CURVE_FILE = "loss.png"
log = logging.getLogger(__name__)


class CheckpointWriter:
    """Writes the checkpoints of one run; leaving its block waits for the last write."""

    def __init__(self, folder: JobFolder, steps: int, *, keep_only_newest: bool) -> None:
        self.folder, self.steps = folder, steps
        self.keep_only_newest = keep_only_newest  #: those of whole models are large
        self.thread: threading.Thread | None = None
        self.saved_step = -1  #: of the newest checkpoint on the disk
        self.error_code = "checkpoint_lost"  #: of a write that failed
        self.outcome: Event | None = None
        self.bug: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()

    def start(self, copy: Snapshot) -> Iterator[Event]:
        """Start to write a snapshot once the one before is written; yield that one's outcome."""
        yield from self.finish()
        self.thread = threading.Thread(target=self._write, args=(copy,))
        self.thread.start()

    def wait(self) -> None:
        """Wait for the write that is going on."""
        if self.thread:
            self.thread.join()

    def report(self) -> Iterator[Event]:
        """Yield the outcome of a write that has ended, once; raise its exception if it has one."""
        if self.thread and not self.thread.is_alive():
            self.thread = None
            if self.bug:
                raise self.bug
            if self.outcome:
                yield self.outcome

    def finish(self) -> Iterator[Event]:
        """Wait for the write that is going on and yield its outcome."""
        self.wait()
        yield from self.report()

    def _write(self, copy: Snapshot) -> None:
        """Write a snapshot whole or not at all, and the picture of the loss curve."""
        try:
            path = copy.write(self.folder.checkpoints)
            if self.keep_only_newest:
                checkpoint.remove_others(path)
            self.saved_step = copy.step
            self.outcome = CheckpointSaved(copy.step, path.name, self._draw_curve(copy))
        except (OSError, SafetensorError) as failed:
            self.error_code = "disk_full" if is_full_disk_error(failed) else "checkpoint_lost"
            log.warning("The checkpoint of step %s was not written: %s", copy.step, failed)
            self.outcome = Note("checkpoint_lost", {"step": copy.step})
        except BaseException as bug:  # noqa: BLE001 - `report` raises it in the run's thread
            self.bug = bug

    def _draw_curve(self, copy: Snapshot) -> str:
        """Write the picture of the loss curve; return its name, nothing if that failed."""
        try:
            drawn = draw_curve(copy.tensors["losses"].tolist(), self.steps)
            write_picture(self.folder.samples / CURVE_FILE, drawn)
        except OSError as failed:
            log.warning("The loss curve was not written: %s", failed)
            return ""
        return CURVE_FILE
