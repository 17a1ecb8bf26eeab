"""One job in the worker: its task, driven an event at a time, and what is written of it."""

from __future__ import annotations

import errno
import logging
import secrets
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from storage.errors import SafelightError
from storage.folders import TERMINAL
from storage.records import Event, JobCommand, Kind
from training.worker.eventlog import EventLog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.folders import JobFolder
    from training.worker.inbox import Request

log = logging.getLogger(__name__)

#: A generator of events. An event "step" is a boundary, where a wish may be sent.
Task = Generator[Event, JobCommand | None, None]
LINE = logging.Formatter("{asctime} {levelname:<7} {name}: {message}", style="{")
URGENCY = (Kind.SAMPLE, Kind.CAPTION, Kind.EVALUATE, Kind.TRAIN)


class Execution:
    """A job under way. It has ended when its terminal event is written."""

    def __init__(self, asked: Request, folder: JobFolder, task: Task, kind: Kind) -> None:
        self.asked, self.folder, self.task, self.kind = asked, folder, task, kind
        self.events = EventLog(folder.events_file)
        self.command: JobCommand | None = None
        self.leaving = False
        self.step = 0  # the last one that was told of
        self.begun = False  # a boundary was reached
        self.boundary = False
        self.over = False
        self.seconds = 0.0

    @property
    def ended(self) -> bool:
        """Return whether nothing is left to do or to write."""
        return self.over and not self.events.waiting

    @property
    def urgency(self) -> int:
        """Return its place: short jobs go before long ones."""
        return URGENCY.index(self.kind)

    def receive_command(self, wish: JobCommand) -> None:
        """Hear what somebody asks; only a training can be paused or finished early."""
        if wish is JobCommand.CANCEL or self.kind is Kind.TRAIN:
            self.command = wish

    def leave(self) -> None:
        """Put the job down, to be taken up later: at the next boundary, where there are any."""
        if self.over:
            return
        self.leaving = True
        if self.kind is Kind.TRAIN and self.begun:
            self.command = JobCommand.PAUSE
        else:
            self._close("paused")

    def advance(self) -> None:
        """Go on to the next event."""
        if self.over:
            self.events.flush()
            return
        began = time.perf_counter()
        with self._logged():
            self._advance()
        self.seconds += time.perf_counter() - began

    def note(self, kind: str, **facts: Any) -> None:
        """Write an event of the worker's own."""
        self.events.write(Event(kind, facts, time.time()))

    def _advance(self) -> None:
        if self.command is JobCommand.CANCEL and not self.boundary:
            self._close("cancelled")
            return
        wish, self.command = (self.command, None) if self.boundary else (None, self.command)
        try:
            self._heard(self.task.send(wish))
        except StopIteration:
            self._fail(RuntimeError("the task ended without saying how"))
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends this job alone
            self._fail(error)

    def _heard(self, event: Event) -> None:
        self.boundary = event.kind == "step"
        self.begun |= self.boundary
        self.step = event.facts.get("step", self.step)
        if self.boundary:
            return
        if event.kind in TERMINAL:
            self.task.close()
            self._end(event)
        else:
            self.events.write(event)

    def _close(self, kind: str) -> None:
        try:
            self.task.close()
        except Exception:
            log.exception("Job %s did not close cleanly", self.asked.job)
        self._end(Event(kind, {"step": self.step}, time.time()))

    def _fail(self, error: Exception) -> None:
        if lost(error):
            raise error  # the device is gone for this process: another worker takes the job up
        facts = told(error)
        if "reference" in facts:
            log.error("Bug %s in job %s", facts["reference"], self.asked.job, exc_info=error)
        self._end(Event("failed", facts, time.time()))

    def _end(self, event: Event) -> None:
        facts = event.facts | {"fence": self.asked.fence}
        if self.leaving and event.kind == "paused":
            facts["leaving"] = True
        self.over = True
        self.events.write(Event(event.kind, facts, event.at))

    @contextmanager
    def _logged(self) -> Iterator[None]:
        """Send what is logged meanwhile to the job's log, too."""
        handler = logging.FileHandler(self.folder.log_file, encoding="utf-8", delay=True)
        handler.setFormatter(LINE)
        root = logging.getLogger()
        root.addHandler(handler)
        try:
            yield
        finally:
            root.removeHandler(handler)
            handler.close()


def told(error: Exception) -> dict[str, Any]:
    """Return the facts of a failure: a code for its sentence, or a reference for the log."""
    if isinstance(error, SafelightError):
        return {"code": error.code, **error.facts}
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return {"code": "disk_full"}
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return {"code": "memory_full"}
    return {"code": "bug", "reference": secrets.token_hex(3).upper()}


def lost(error: Exception) -> bool:
    """Return whether the device will not compute for this process again."""
    return type(error).__name__ == "AcceleratorError"
