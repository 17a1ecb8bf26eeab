"""One job in the worker: its task is advanced event by event and written to its event log."""

from __future__ import annotations

import logging
import secrets
import shutil
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from storage.disk import MIB, is_full_disk_error
from storage.errors import SafelightError
from storage.events import Cancelled, Done, Ending, Event, Failed, LogEntry, Paused, StepBoundary
from storage.folders import JobFolder, sync_folder
from storage.records import JobCommand, Kind
from training.worker.eventlog import EventLog
from training.worker.inbox import Request

log = logging.getLogger(__name__)

#: A generator of events that may be sent a command at each `StepBoundary`.
Task = Generator[Event, JobCommand | None, None]
LOG_FORMAT = logging.Formatter("{asctime} {levelname:<7} {name}: {message}", style="{")
URGENCY = (Kind.SAMPLE, Kind.CAPTION, Kind.GRADE, Kind.TRAIN)


class Execution:
    """A job under way. It has ended when its last event is written."""

    def __init__(self, request: Request, folder: JobFolder, task: Task, kind: Kind) -> None:
        self.request, self.folder, self.task, self.kind = request, folder, task, kind
        self.events = EventLog(folder.events_file)
        self.command: JobCommand | None = None
        self.leaving = False  #: the worker ends; the job goes back into the queue
        self.step = 0  #: of the newest event
        self.reached_boundary = False  #: at least once: only then can a training be paused
        self.at_boundary = False  #: now
        self.task_ended = False
        self.seconds = 0.0  #: spent in the task

    @property
    def ended(self) -> bool:
        """Whether nothing is left to do or to write."""
        return self.task_ended and not self.events.pending

    @property
    def urgency(self) -> int:
        """The rank of its kind: the lower one goes first."""
        return URGENCY.index(self.kind)

    def receive_command(self, command: JobCommand) -> None:
        """Keep a command until the next boundary; only a training can be paused or finished."""
        if command is JobCommand.CANCEL or self.kind is Kind.TRAIN:
            self.command = command

    def put_down(self) -> None:
        """Pause the job as the worker ends: a training at its next boundary, others at once."""
        if self.task_ended:
            return
        self.leaving = True
        if self.kind is Kind.TRAIN and self.reached_boundary:
            self.command = JobCommand.PAUSE
        else:
            self._close(Paused(self.step))

    def advance(self) -> None:
        """Advance the task by one event, or retry to write what a full disk refused."""
        if self.task_ended:
            self.events.flush()
            return
        began = time.perf_counter()
        with self._logged():
            self._advance()
        self.seconds += time.perf_counter() - began

    def write(self, event: Event) -> None:
        """Append an event to the job's log."""
        self.events.write(LogEntry(event, time.time()))

    def _advance(self) -> None:
        if self.command is JobCommand.CANCEL and not self.at_boundary:
            self._close(Cancelled(self.step))
            return
        command = None
        if self.at_boundary:  # elsewhere the task does not listen
            command, self.command = self.command, None
        try:
            self._handle(self.task.send(command))
        except StopIteration:
            self._fail(RuntimeError("the task ended without an ending"))
        except Exception as error:  # noqa: BLE001 - whatever it is, it ends this job alone
            self._fail(error)

    def _handle(self, event: Event) -> None:
        self.at_boundary = isinstance(event, StepBoundary)
        self.reached_boundary |= self.at_boundary
        self.step = getattr(event, "step", self.step)
        if isinstance(event, Ending):
            self.task.close()
            self._end(event)
        elif not self.at_boundary:
            self.write(event)

    def drop(self) -> None:
        """End the task without a word: somebody else has the job now."""
        try:
            self.task.close()
        except Exception:
            log.exception("Job %s did not close cleanly", self.request.job)

    def _close(self, ending: Ending) -> None:
        self.drop()
        self._end(ending)

    def _fail(self, error: Exception) -> None:
        if is_device_lost(error):
            raise error  # the device is gone for this process: another worker takes the job up
        failed = describe_failure(error)
        if failed.code == "disk_full":
            free = shutil.disk_usage(self.folder.path).free // MIB
            failed = replace(failed, facts={"free": free})  # was too little
        if failed.reference:
            log.error("Bug %s in job %s", failed.reference, self.request.job, exc_info=error)
        self._end(failed)

    def _end(self, ending: Ending) -> None:
        if isinstance(ending, Paused):
            ending = replace(ending, leaving=self.leaving)
        self.task_ended = True
        if isinstance(ending, Done):
            sync_folder(self.folder.result)  # before anybody reads that it is there
        self.events.write(LogEntry(ending, time.time(), self.request.fence))

    @contextmanager
    def _logged(self) -> Iterator[None]:
        """Write what is logged inside the block to the job's log, too."""
        handler = JobLogHandler(self.folder.log_file, encoding="utf-8", delay=True)
        handler.setFormatter(LOG_FORMAT)
        root = logging.getLogger()
        root.addHandler(handler)
        try:
            yield
        finally:
            root.removeHandler(handler)
            with suppress(OSError):  # it flushes what the disk had no room for
                handler.close()


class JobLogHandler(logging.FileHandler):
    """Writes the job's log, and leaves out what the disk has no room for."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line if that is possible."""
        with suppress(OSError):  # the file may not be there yet
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Drop a line that could not be written."""


def describe_failure(error: Exception) -> Failed:
    """Return the ending that an error makes; a bug gets a reference to find it in the log."""
    if isinstance(error, SafelightError):
        return Failed(error.code, dict(error.facts))
    if is_full_disk_error(error):
        return Failed("disk_full")
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return Failed("memory_full")
    return Failed("bug", reference=secrets.token_hex(3).upper())


def is_device_lost(error: Exception) -> bool:
    """Return whether the device will not compute for this process again."""
    return type(error).__name__ == "AcceleratorError"
