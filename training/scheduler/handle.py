"""The trainer's side of one worker: it is started, watched and, when it dies, started again."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from storage.records import Kind
from training.worker.inbox import Request, Verb

if TYPE_CHECKING:
    from training.scheduler.backend import Backend, Handle
    from training.scheduler.claim import Claim
    from training.worker.folder import Desk

log = logging.getLogger(__name__)

SILENCE = 15.0  #: seconds without a heartbeat after which a worker counts as dead
WAKING = 300.0  #: the same while it imports torch, which may hold everything else up
STEADY = 60.0  #: seconds after which a worker is no longer one that dies at once
LONGEST = 60.0  #: seconds between two starts, at most
GREET = 2.0  #: seconds between two signs of the trainer


class Station:
    """A worker's name, desk and claims, whichever process serves there now."""

    def __init__(self, name: str, desk: Desk, backend: Backend) -> None:
        self.name, self.desk, self.backend = name, desk, backend
        self.claims: list[Claim] = []
        self.handle: Handle | None = None
        self.silence = SILENCE
        self.deaths = 0
        self.started = self.greeted = self.heard = 0.0
        self.pulse: int | None = None
        self.read: int | None = None

    @property
    def ready(self) -> bool:
        """Return whether the worker takes requests."""
        return self.state() is not None

    def state(self) -> dict[str, Any] | None:
        """Return what the worker holds; None before it takes requests."""
        return self.desk.state() if self.handle else None

    def alive(self) -> bool:
        """Return whether a worker serves here; one that was started by an earlier trainer does."""
        if self.handle is None or not self.backend.alive(self.handle):
            if self.handle is not None and not self.ready:
                log.error(
                    "Worker %s could not start: see %s", self.name, self.desk.path / "log.txt"
                )
            self._adopt()
        if self.handle is None:
            return False
        self._greet()
        if self._silence() > (self.silence if self.ready else WAKING):
            log.error("Worker %s does not move any more and is ended", self.name)
            self.backend.stop(self.handle)
            self.handle = None
        return self.handle is not None

    def start(self) -> None:
        """Start a worker, unless the last ones died too fast."""
        lived = time.monotonic() - self.started
        self.deaths = 0 if lived > STEADY else self.deaths
        if self.deaths and lived < min(LONGEST, 2.0 ** (self.deaths - 2)):
            return
        self.deaths += 1
        self.started = time.monotonic()
        self.desk.clear()
        self._hold(self.backend.start(self.name))
        log.info("Worker %s was started: %s", self.name, self.handle)

    def leave(self) -> None:
        """Ask the worker, if there is one, to put its jobs down and end."""
        if self.handle is not None:
            self.desk.inbox.send(Request(Verb.LEAVE))

    def stop(self) -> None:
        """End the worker now."""
        if self.handle is not None:
            self.backend.stop(self.handle)

    def news(self) -> dict[str, Any] | None:
        """Return what the worker can do, if that is new."""
        with suppress(FileNotFoundError):
            written = self.desk.offered()
            if written != self.read:
                self.read = written
                return self.desk.catalog()
        return None

    def wants(self) -> tuple[list[Kind], list[str] | None]:
        """Return the kinds of jobs it can take now, and of which bases; None is any."""
        held = {claim.job.kind for claim in self.claims}
        kinds = [k for k in (Kind.SAMPLE, Kind.CAPTION, Kind.TRAIN) if k not in held]
        if Kind.TRAIN not in held:
            return kinds, None
        state = self.state() or {"held": [], "serves": []}
        begun = any(run["begun"] for run in state["held"] if run["kind"] == Kind.TRAIN)
        return (kinds, list(state["serves"])) if begun else ([], None)

    def _adopt(self) -> None:
        """Find the worker that serves here, if one does."""
        handle = self.desk.handle()
        self.handle = None
        if handle is not None and self.backend.alive(handle):
            self._hold(handle)

    def _hold(self, handle: Handle) -> None:
        self.handle, self.heard, self.pulse = handle, time.monotonic(), None

    def _greet(self) -> None:
        if time.monotonic() - self.greeted > GREET:
            self.desk.trainer.touch()
            self.greeted = time.monotonic()

    def _silence(self) -> float:
        """Return for how long, by our own clock, the heartbeat has not changed."""
        with suppress(FileNotFoundError):
            pulse = self.desk.heartbeat.stat().st_mtime_ns
            if pulse != self.pulse:
                self.pulse, self.heard = pulse, time.monotonic()
        return time.monotonic() - self.heard
