"""Checkpoints written in a thread from a copy: the steps go on while the disk is busy.

One write at a time. What could not be written is told and loses nothing: the checkpoint before it
is still there, and the next one is tried as if nothing had been.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Self

from safetensors import SafetensorError

from storage.events import CheckpointSaved, Note
from storage.folders import replacing
from training.run import checkpoint
from training.run.curve import draw_curve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.events import Event
    from storage.folders import JobFolder
    from training.run.checkpoint import Snapshot

CURVE_FILE = "loss.png"
log = logging.getLogger(__name__)


class CheckpointWriter:
    """The checkpoints of one run; at the block's end nothing is being written any more."""

    def __init__(self, folder: JobFolder, steps: int, *, keep_only_newest: bool) -> None:
        self.folder, self.steps = folder, steps
        self.keep_only_newest = keep_only_newest  #: whether older ones go: they are large
        self.thread: threading.Thread | None = None
        self.saved_step = -1  #: the step of the newest that is whole
        self.outcome: Event | None = None
        self.bug: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()

    def start(self, copy: Snapshot) -> Iterator[Event]:
        """Begin to write a copy, when the one before it is written; tell of that one."""
        yield from self.finish()
        self.thread = threading.Thread(target=self._write, args=(copy,))
        self.thread.start()

    def wait(self) -> None:
        """Wait for what is being written."""
        if self.thread:
            self.thread.join()

    def report(self) -> Iterator[Event]:
        """Tell what came of a write that has ended, once."""
        if self.thread and not self.thread.is_alive():
            self.thread = None
            if self.bug:
                raise self.bug
            if self.outcome:
                yield self.outcome

    def finish(self) -> Iterator[Event]:
        """Wait for what is being written and tell what came of it."""
        self.wait()
        yield from self.report()

    def _write(self, copy: Snapshot) -> None:
        """Write a copy, whole or not at all, and the loss curve."""
        try:
            path = copy.write(self.folder.checkpoints)
            if self.keep_only_newest:
                checkpoint.remove_others(path)
            self.saved_step = copy.step
            with replacing(self.folder.samples / CURVE_FILE) as part:
                draw_curve(copy.tensors["losses"].tolist(), self.steps).save(part, "PNG")
            self.outcome = CheckpointSaved(copy.step, path.name, CURVE_FILE)
        except (OSError, SafetensorError) as failed:
            log.warning("The checkpoint of step %s was not written: %s", copy.step, failed)
            self.outcome = Note("checkpoint_lost", {"step": copy.step})
        except BaseException as bug:  # noqa: BLE001 - it is raised where the run hears it
            self.bug = bug
