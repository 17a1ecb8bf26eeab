"""`python -m training worker NAME`: the resident process that owns one device.

It hears requests from its inbox, drives one task at a time, short ones between two steps of a
long one, and writes what happens into the job folders. It never opens the database.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from filelock import FileLock, Timeout

from storage.errors import JobError
from storage.records import JobCommand, Kind
from training.worker.eventlog import ending
from training.worker.execution import Execution, Task
from training.worker.inbox import Command, Request
from training.worker.process import read_birth

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage.folders import Home, JobFolder
    from storage.records import Catalog
    from training.worker.folder import WorkerFolder

log = logging.getLogger(__name__)

IDLE = 0.05  #: seconds between two looks into the inbox of a worker with nothing to do
BEAT = 2.0  #: seconds between two heartbeats
ALONE = 600.0  #: seconds without a trainer after which an idle worker ends
LOOK = 5.0  #: seconds between two looks at what fits into memory
NEWS = 60.0  #: seconds between two looks of an idle worker for new bases
TAKEN = 3  #: exit code of a worker whose desk is another's


class Studio(Protocol):
    """What a worker can do; the real one is in `training/worker/runtime.py`."""

    def catalog(self) -> Catalog:
        """Say what can be done."""
        ...

    def task(self, kind: Kind, folder: JobFolder) -> Task:
        """Begin a job."""
        ...

    def state(self) -> dict[str, Any]:
        """Say which bases can be `served` now, and what else is worth knowing."""
        ...

    def warm(self) -> None:
        """Do the next bit, of a few seconds at most, of what makes jobs begin sooner."""
        ...

    def rest(self) -> None:
        """Give memory back that no job needs."""
        ...


class Worker:
    """The jobs of one device."""

    def __init__(self, home: Home, desk: WorkerFolder, studio: Studio, idle: int = 0) -> None:
        self.home, self.desk, self.studio = home, desk, studio
        self.idle = idle  #: seconds without a job after which memory is given back; 0 is never
        self.rested = False
        self.runs: list[Execution] = []
        self.leaving = threading.Event()
        self.told: dict[str, Any] = {}
        self.offered: Catalog | None = None
        self.looked = self.searched = 0.0
        self.busy = time.time()

    def work(self) -> None:
        """Serve until told to leave, or until nobody is there to serve."""
        self.offer()
        self.tell()
        while not self.done():
            self.turn()
            if not self.runs:
                time.sleep(IDLE)
                self.rest()
                self.studio.warm()
                if time.monotonic() - self.searched > NEWS:
                    self.offer()

    def rest(self) -> None:
        """Give memory back, once, when there was no job for long enough."""
        if self.idle and not self.rested and time.time() - self.busy >= self.idle:
            self.studio.rest()
            self.rested = True
            self.tell()

    def turn(self) -> None:
        """Hear what is asked and take one job one event further."""
        for request in self.desk.inbox.take():
            self.hear(request)
        if self.leaving.is_set():
            for run in self.runs:
                run.leave()
        if self.runs:
            run = min(self.runs, key=lambda run: run.urgency)
            begun = run.begun
            run.advance()
            self.ended(run)
            if run.begun is not begun:
                self.tell()
        if time.monotonic() - self.looked > LOOK:
            self.tell()

    def hear(self, request: Request) -> None:
        """Do what was asked, or remember it until the next boundary."""
        if request.command is Command.LEAVE:
            self.leaving.set()
        elif request.command is Command.RUN:
            self.accept(request)
        else:
            for run in self.runs:
                if (run.asked.job, run.asked.fence) == (request.job, request.fence):
                    run.receive_command(JobCommand(request.command))

    def accept(self, request: Request) -> None:
        """Take a job, unless this very claim is here or has ended: the trainer may ask twice."""
        folder = self.home.run(request.job)
        held = {(run.asked.job, run.asked.fence) for run in self.runs}
        if (request.job, request.fence) in held or ending(folder.events, request.fence):
            return
        try:
            kind = Kind(folder.request()["kind"])
            task = self.studio.task(kind, folder)
        except (OSError, ValueError, KeyError, TypeError):
            log.exception("The folder of job %s cannot be read", request.job)
            kind, task = Kind.SAMPLE, _unreadable()
        self.runs.append(Execution(request, folder, task, kind))
        self.rested = False
        self.tell()

    def ended(self, run: Execution) -> None:
        """Let go of a job that has ended; a training notes what was served meanwhile."""
        if not run.ended:
            if run.over:
                time.sleep(IDLE)  # its last line waits for room on the disk
            return
        self.runs.remove(run)
        for other in self.runs:
            if other.kind is Kind.TRAIN and other.begun:
                other.note("served", job=run.asked.job, seconds=round(run.seconds, 3))
        self.busy = time.time()
        self.tell()

    def offer(self) -> None:
        """Publish what can be done, when it is new."""
        self.searched = time.monotonic()
        catalog = self.studio.catalog()
        if self.offered is None or replace(self.offered, published=catalog.published) != catalog:
            self.desk.write_catalog(asdict(catalog))
            self.offered = catalog

    def tell(self) -> None:
        """Publish what is held and what else could be served now."""
        self.looked = time.monotonic()
        held = [{"job": run.asked.job, "kind": run.kind, "begun": run.begun} for run in self.runs]
        state = {"pid": os.getpid(), "held": held, **self.studio.state()}
        if state != self.told:
            self.desk.write_state(state)
            self.told = state

    def done(self) -> bool:
        """Return whether it is time to end."""
        if self.runs:
            return False
        return self.leaving.is_set() or time.time() - max(self.busy, self.met()) > ALONE

    def met(self) -> float:
        """Return when a trainer was last there."""
        with suppress(FileNotFoundError):
            return self.desk.scheduler_heartbeat.stat().st_mtime
        return 0.0


def serve(
    home: Home, desk: WorkerFolder, open_studio: Callable[[], Studio], nice: int = 0, idle: int = 0
) -> int:
    """Be the worker of a desk; return the exit code of the process."""
    lock = FileLock(desk.lock)  # held until this process ends, however it does
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return TAKEN
    desk.write_process({"pid": os.getpid(), "born": read_birth(os.getpid())})
    threading.Thread(target=_beat, args=(desk.heartbeat,), daemon=True).start()
    _yield(nice)
    worker = Worker(home, desk, open_studio(), idle)
    signal.signal(signal.SIGTERM, lambda *_: worker.leaving.set())
    worker.work()
    return 0


def _beat(heartbeat: Path) -> None:
    """Show that the process lives, also while its main thread computes."""
    while True:
        with suppress(OSError):
            heartbeat.touch()
        time.sleep(BEAT)


def _yield(nice: int) -> None:
    """Leave the cores to the bot, and be the one that goes when memory runs out."""
    with suppress(AttributeError, OSError):
        os.nice(nice)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def _unreadable() -> Task:
    """Be the task of a folder that says nothing."""
    raise JobError("job_broken")
    yield
