"""`python -m training worker NAME`: the resident process that owns one device.

It takes requests from its inbox, drives one task at a time (short ones between two steps of a
long one), and writes what happens into the job folders. It never opens the database.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock, Timeout

from storage.disk import FullDiskNotice, retry_until_room
from storage.errors import JobError
from storage.events import JobServed
from storage.folders import Home, JobFolder
from storage.records import Catalog, JobCommand, Kind
from training.worker.counter import count_up
from training.worker.eventlog import find_ending
from training.worker.execution import Execution, Task
from training.worker.folder import WorkerFolder
from training.worker.inbox import Command, Request
from training.worker.marker import AdvanceMarker
from training.worker.process import describe_process
from training.worker.silence import HeartbeatListener

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.05  #: between two looks into the inbox of a worker with nothing to do
HEARTBEAT_SECONDS = 2.0  #: between two heartbeats
ALONE_SECONDS = 600.0  #: without a scheduler, after which an idle worker ends
STATE_SECONDS = 5.0  #: between two checks of what fits into memory
CATALOG_SECONDS = 60.0  #: between two searches of an idle worker for new bases
TAKEN_EXIT_CODE = 3  #: of a worker whose folder another process holds


class Runtime(Protocol):
    """What a worker can do; the real one is in `training/worker/runtime.py`."""

    def catalog(self) -> Catalog:
        """Return what this machine can do."""

    def start_task(self, kind: Kind, folder: JobFolder) -> Task:
        """Return the task of a job; nothing of it has run yet."""

    def state(self) -> dict[str, Any]:
        """Return the bases it `serves` now, beside what is running, and what is in memory."""

    def import_next(self) -> None:
        """Import one more library that jobs will need, in a few seconds at most."""

    def free_memory(self) -> None:
        """Unload what no job needs."""


class Worker:
    """The jobs of one device."""

    def __init__(
        self, home: Home, folder: WorkerFolder, runtime: Runtime, idle_seconds: int = 0
    ) -> None:
        self.home, self.folder, self.runtime = home, folder, runtime
        self.marker = AdvanceMarker(folder.marker)
        self.idle_seconds = idle_seconds  #: without a job, until memory is freed; 0 is never
        self.memory_freed = False
        self.executions: list[Execution] = []
        self.leaving = threading.Event()
        self.published_state: dict[str, Any] = {}
        self.published_catalog: Catalog | None = None
        self.state_at = self.catalog_at = 0.0
        self.busy_at = time.monotonic()
        self.scheduler = HeartbeatListener(folder.scheduler_heartbeat)
        self.notice = FullDiskNotice(folder.path, "what this worker holds is published later")

    def run(self) -> None:
        """Work until told to leave, or until no scheduler is left."""
        self.publish_catalog()
        self.publish_state()
        while not self.should_end():
            self.run_turn()
            if not self.executions:
                time.sleep(IDLE_SECONDS)
                self.free_idle_memory()
                self.runtime.import_next()
                if time.monotonic() - self.catalog_at > CATALOG_SECONDS:
                    self.publish_catalog()

    def free_idle_memory(self) -> None:
        """Free memory, once, when there was no job for `idle_seconds`."""
        if not self.idle_seconds or self.memory_freed:
            return
        if time.monotonic() - self.busy_at >= self.idle_seconds:
            self.runtime.free_memory()
            self.memory_freed = True
            self.publish_state()

    def run_turn(self) -> None:
        """Handle the requests, then advance the most urgent job by one event."""
        for request in self.folder.inbox.take():
            self.handle_request(request)
        if self.leaving.is_set():
            for run in self.executions:
                run.put_down()
        if self.executions:
            run = min(self.executions, key=lambda run: run.urgency)
            begun = run.reached_boundary
            with self.marker.advancing(run.request.job, run.request.fence):
                run.advance()
            self.remove_ended(run)
            if run.reached_boundary is not begun:
                self.publish_state()
        if time.monotonic() - self.state_at > STATE_SECONDS:
            self.publish_state()

    def handle_request(self, request: Request) -> None:
        """Start a job, pass a command on to its job, or begin to leave."""
        if request.command is Command.LEAVE:
            self.leaving.set()
            self.publish_state()  # first, so that no job is given anew to this worker
        elif request.command is Command.RUN:
            self.start_job(request)
        else:
            for run in self.executions:
                if (run.request.job, run.request.fence) == (request.job, request.fence):
                    run.receive_command(JobCommand(request.command))

    def start_job(self, request: Request) -> None:
        """Start a job, unless this claim runs or has ended: the scheduler may ask twice.

        What still runs under an earlier claim of the job is dropped; checkpoints stay.
        """
        folder = self.home.job_folder(request.folder)
        if request in [run.request for run in self.executions]:
            return
        if find_ending(folder.events_file, request.fence):
            return
        for stale in [run for run in self.executions if run.request.job == request.job]:
            stale.drop()
            self.executions.remove(stale)
        try:
            kind = Kind(folder.read_request()["kind"])
            task = self.runtime.start_task(kind, folder)
        except (OSError, ValueError, KeyError, TypeError):
            log.exception("The folder of job %s cannot be read", request.job)
            kind, task = Kind.SAMPLE, unreadable_folder()
        self.executions.append(Execution(request, folder, task, kind))
        self.memory_freed = False
        self.publish_state()

    def remove_ended(self, run: Execution) -> None:
        """Remove a job that has ended; a training notes what was served meanwhile."""
        if not run.ended:
            if run.task_ended:
                time.sleep(IDLE_SECONDS)  # its last line waits for room on the disk
            return
        self.executions.remove(run)
        for other in self.executions:
            if other.kind is Kind.TRAIN and other.reached_boundary:
                other.write(JobServed(run.request.job, round(run.seconds, 3)))
        self.busy_at = time.monotonic()
        self.publish_state()

    def publish_catalog(self) -> None:
        """Publish what this machine can do, if that has changed."""
        self.catalog_at = time.monotonic()
        catalog = self.runtime.catalog()
        before = self.published_catalog
        if before is None or replace(before, published=catalog.published) != catalog:
            with self.notice.waiting():
                self.folder.write_catalog(asdict(catalog))
                self.published_catalog = catalog

    def publish_state(self) -> None:
        """Publish the jobs held and the bases that could be served beside them."""
        self.state_at = time.monotonic()
        held = [
            {"job": run.request.job, "kind": run.kind, "begun": run.reached_boundary}
            for run in self.executions
        ]
        state = {"pid": os.getpid(), "held": held, **self.runtime.state()}
        state |= {"leaving": True} if self.leaving.is_set() else {}
        if state != self.published_state:
            with self.notice.waiting():
                self.folder.write_state(state)
                self.published_state = state

    def should_end(self) -> bool:
        """Return whether nothing is left to do and the worker was told to leave or is alone."""
        alone = self.scheduler.look() > ALONE_SECONDS
        return not self.executions and (alone or self.leaving.is_set())


def serve(
    home: Home,
    folder: WorkerFolder,
    open_runtime: Callable[[], Runtime],
    nice: int = 0,
    idle_seconds: int = 0,
) -> int:
    """Run the worker of a folder; return the exit code of the process."""
    lock = FileLock(folder.lock)  # held until this process ends, however it does
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return TAKEN_EXIT_CODE
    faulthandler.enable()  # a crash in a library leaves its place in the log
    note = partial(folder.write_process, describe_process(os.getpid()))
    retry_until_room(folder.path, note)
    threading.Thread(target=beat, args=(folder.heartbeat,), daemon=True).start()
    lower_priority(nice)
    worker = Worker(home, folder, open_runtime(), idle_seconds)
    signal.signal(signal.SIGTERM, lambda *_: worker.leaving.set())
    worker.run()
    return 0


def beat(heartbeat: Path) -> None:
    """Count the heartbeat up for ever, also while the main thread computes."""
    while True:
        count_up(heartbeat)
        time.sleep(HEARTBEAT_SECONDS)


def lower_priority(nice: int) -> None:
    """Leave the cores to the bot, and be killed first when memory runs out."""
    with suppress(AttributeError, OSError):
        os.nice(nice)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def unreadable_folder() -> Task:
    """Fail: the task of a job folder that cannot be read."""
    raise JobError("job_broken")
    yield
