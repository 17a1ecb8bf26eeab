"""Whether a worker that exists still works, told by its heartbeat and by what it does."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from storage.process import Process
from training.scheduler.backend import Backend
from training.worker.process import Activity
from training.worker.silence import MAX_GAP_SECONDS, HeartbeatListener, SilenceMeter

log = logging.getLogger(__name__)

MAX_SILENT_SECONDS = 15.0  #: without a heartbeat, if the process does nothing else either
MAX_BUSY_SECONDS = 50.0  #: without a heartbeat, if it does something: a call may block its threads
MAX_START_SECONDS = 300.0  #: the same while it imports torch
MAX_STUCK_SECONDS = 50.0  #: with a heartbeat, but without any work on its start or its job
MIN_CPU_SECONDS = 0.05  #: that count as work; the heartbeat takes 0.1 ms
LOOK_SECONDS = 1.0  #: between two looks at what the process does


class WorkerWatch:
    """Watches one process of a worker while the scheduler itself is there to listen."""

    def __init__(
        self,
        backend: Backend,
        process: Process,
        heartbeat: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.backend, self.process, self.clock = backend, process, clock
        self.heartbeat = HeartbeatListener(heartbeat, clock)
        self.idleness = SilenceMeter(clock)
        self.max_silent, self.looked_at = MAX_SILENT_SECONDS, 0.0
        self.activity: Activity | None = None  #: when it last had done something
        self.silent_seconds = self.idle_seconds = 0.0

    def hangs(self, *, ready: bool, holds_job: bool) -> bool:
        """Return whether the process does nothing any more."""
        self.silent_seconds = self.heartbeat.look()
        if self.clock() - self.looked_at >= LOOK_SECONDS:
            self.looked_at = self.clock()
            self.idle_seconds = self._look_at_activity()
        if (holds_job or not ready) and self.idle_seconds > MAX_STUCK_SECONDS:
            return True
        silent = min(self.silent_seconds, self.idle_seconds)
        busy = MAX_BUSY_SECONDS if ready else MAX_START_SECONDS
        return silent > self.max_silent or self.silent_seconds > busy

    def may_have_paused(self) -> bool:
        """Return whether the process was perhaps frozen, alone or with the scheduler."""
        return self.heartbeat.meter.was_away or self.silent_seconds > MAX_GAP_SECONDS

    def was_stopped(self) -> bool:
        """Return whether somebody has stopped the process, which hangs through no fault of it."""
        now = self.backend.activity(self.process)
        return now is not None and now.stopped

    def _look_at_activity(self) -> float:
        """Return for how many seconds the process has done nothing."""
        now, before = self.backend.activity(self.process), self.activity
        if now is None:  # nobody knows, so the heartbeat alone counts
            return self.silent_seconds
        works = before is None or (
            now.other != before.other or now.cpu_seconds - before.cpu_seconds > MIN_CPU_SECONDS
        )
        self.activity = now if works else before
        return self.idleness.look(alive=works)
