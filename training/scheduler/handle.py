"""One worker as the scheduler sees it: started, watched and, when it dies, started again."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import Any

from storage.process import Process
from storage.records import Kind, Release
from storage.tables.nodes import OWNER
from training.scheduler.backend import Backend
from training.scheduler.claim import Claim
from training.scheduler.ferry.remote import KeptAway, LostConnection
from training.scheduler.watch import WorkerWatch
from training.worker.counter import count_up
from training.worker.execution import URGENCY
from training.worker.folder import WorkerFolder
from training.worker.inbox import Command, Request
from training.worker.marker import read_marker
from training.worker.process import PROTOCOL

log = logging.getLogger(__name__)

STEADY_SECONDS = 60.0  #: after which a worker's death no longer counts as a failed start
MAX_RESTART_SECONDS = 60.0  #: between two starts of a worker that keeps crashing
MAX_KILLED_SECONDS = 2.0  #: between two starts of a worker that is killed again and again
HEARTBEAT_SECONDS = 2.0  #: between two heartbeats of the scheduler


class WorkerHandle:
    """A worker's name, folder and claims, whichever process is the worker now.

    Its name, `box/cuda0`, has the machine in front; its folder has the device's alone.
    """

    def __init__(
        self, name: str, folder: WorkerFolder, backend: Backend, *, remote: bool = False
    ) -> None:
        """`remote` is whether it runs on another machine."""
        self.name, self.folder, self.backend, self.remote = name, folder, backend, remote
        self.claims: list[Claim] = []
        self.process: Process | None = None
        self.watch: WorkerWatch | None = None  #: of that process
        self.crashed = False  #: whether the last process is known to have died of what it did
        self.leaving = False  #: it was asked to end
        self.starts = 0  #: in a row that soon ended in death
        self.started_at = self.greeted_at = 0.0  #: by the monotonic clock
        self.why_away = ""  #: as `Node.why`
        self.seen_at = time.monotonic()  #: when it was ready last, or the scheduler began
        self.catalog_read = b""  #: as that process published it last

    @property
    def ready(self) -> bool:
        """Whether the worker takes requests."""
        return self.state() is not None and self.backend.reachable()

    def state(self) -> dict[str, Any] | None:
        """Return what the worker holds; None before it takes requests."""
        return self.folder.read_state() if self.process else None

    def away_seconds(self) -> float:
        """Return for how long the worker has taken no requests, by the scheduler's own clock."""
        return time.monotonic() - self.seen_at

    def check_alive(self) -> bool:
        """Return whether the worker lives, killing it if it hangs.

        A process that an earlier scheduler started is adopted.
        """
        if self.process is None or not self.backend.alive(self.process):
            if self.process is not None:
                self._note_death(self.process)
            self._find_process()
        if self.process is None or self.watch is None:
            return False
        self._beat()
        hangs = self.watch.hangs(ready=self.ready, holds_job=bool(self.claims))
        for claim in self.claims:
            claim.disturbed |= self.watch.may_have_paused()
        if hangs:
            log.error("Worker %s hangs and is killed", self.name)
            self.crashed = not self.watch.was_stopped()
            self.backend.stop(self.process)
            self.process = None
        return self.process is not None

    def _note_death(self, process: Process) -> None:
        self.crashed = self.backend.died_by_itself(process)
        if self.crashed:
            what = "crashed" if self.ready else "could not start"
            log.error("Worker %s %s: see %s", self.name, what, self.folder.log)
        elif self.leaving:
            log.info("Worker %s has ended", self.name)
        else:
            log.warning("Worker %s ended, or was ended by somebody else", self.name)

    def start(self) -> None:
        """Start the worker; wait longer and longer if it keeps crashing.

        One whose machine is away is tried again and again.
        """
        lived = time.monotonic() - self.started_at
        self.starts = 0 if lived > STEADY_SECONDS else self.starts
        longest = MAX_RESTART_SECONDS if self.crashed else MAX_KILLED_SECONDS
        if self.starts and lived < min(longest, 2.0 ** min(self.starts - 2, 6)):
            return
        self.starts += 1
        self.started_at = time.monotonic()
        self.folder.clear()
        self.leaving = False
        try:
            process = self.backend.start(self.folder.path.name)
        except LostConnection as lost:
            self.crashed = False
            if isinstance(lost, KeptAway) or self.why_away == OWNER:
                self.why_away = str(lost) if isinstance(lost, KeptAway) else ""
            if self.starts == 1:
                log.warning("Worker %s cannot be reached: %s", self.name, lost)
            return
        self._begin_watch(process)
        self.why_away = ""
        log.info("Worker %s was started", self.name)

    def ask_to_leave(self) -> None:
        """Ask the worker, if there is one, to put its jobs down and end."""
        self.leaving = True
        if self.process is not None:
            with suppress(OSError):  # on a full disk it is stopped, only later
                self.folder.inbox.send(Request(Command.LEAVE))

    def release_reason(self, claim: Claim) -> Release:
        """Return why the worker, which is gone, no longer holds a claim."""
        if read_marker(self.folder.marker) != (claim.job.id, claim.job.fence):
            return Release.LEFT
        return Release.CRASHED if self.crashed else Release.INTERRUPTED

    def stop(self) -> None:
        """Kill the worker, if there is one."""
        if self.process is not None:
            self.backend.stop(self.process)
            self.process = None

    def new_catalog(self) -> dict[str, Any] | None:
        """Return what the worker can do if that has changed since the last call."""
        written = self.folder.read_catalog_bytes()  # reading all of it costs 1 ms a turn
        if written == self.catalog_read:
            return None
        self.catalog_read = written
        return self.folder.read_catalog()

    def wanted_jobs(self, fitting: list[str] | None = None) -> tuple[list[Kind], list[str] | None]:
        """Return the kinds of jobs the worker can take now, and of which bases; None is any.

        Without a training it takes jobs on the bases that are `fitting`. Beside one that has
        begun, it takes short jobs on the bases it says it `serves`. One that leaves takes none.
        """
        state = self.state() or {"held": [], "serves": []}
        if state.get("leaving"):
            return [], None
        held = {claim.job.kind for claim in self.claims}
        kinds = [kind for kind in URGENCY if kind not in held]
        if Kind.TRAIN not in held:
            return kinds, fitting
        begun = any(run["begun"] for run in state["held"] if run["kind"] == Kind.TRAIN)
        return (kinds, list(state["serves"])) if begun else ([], None)

    def _find_process(self) -> None:
        """Adopt the process that the folder names, if it lives."""
        process = self.folder.read_process()
        self.process = None
        if process is None or not self.backend.alive(process):
            return
        if process.get("protocol") == PROTOCOL:
            self._begin_watch(process)
        else:  # it would not find the folders of jobs
            log.info("Worker %s is of another version and is replaced", self.name)
            self.backend.stop(process)

    def _begin_watch(self, process: Process) -> None:
        self.process, self.catalog_read = process, b""
        self.watch = WorkerWatch(self.backend, process, self.folder.heartbeat)

    def _beat(self) -> None:
        if time.monotonic() - self.greeted_at > HEARTBEAT_SECONDS:
            count_up(self.folder.scheduler_heartbeat)
            self.greeted_at = time.monotonic()
