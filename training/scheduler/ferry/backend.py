"""Workers on another machine, as the scheduler starts and watches its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from storage.folders import Home
from storage.process import Process
from training.scheduler.ferry.ferry import Ferry
from training.scheduler.ferry.remote import Health, LostConnection, Remote, StaleMessageError
from training.worker.folder import WorkerFolder
from training.worker.process import Activity
from training.worker.silence import SilenceMeter

log = logging.getLogger(__name__)

TURN_SECONDS = 0.25  #: between two turns of a ferry; each asks some questions over the wire

#: without an answer, after which a worker counts as dead and its jobs go on elsewhere; the
#: connection itself is called lost after some seconds more. Less than the silence that makes a
#: worker count as hung: a hung worker is blamed on its job, a machine that is away is not
MAX_LOST_SECONDS = 10.0
ADOPT_SECONDS = 40.0  #: the same for a worker of an earlier scheduler: the connection is new


class RemoteBackend:
    """Runs one worker through a `Remote`, and mirrors its files below this data folder.

    A worker that cannot be reached is alive for MAX_LOST_SECONDS, then it is dead. If it comes
    back, it is of an old session: it is ended before another one starts there, and nothing it
    says is published.
    """

    def __init__(
        self, home: Home, name: str, remote: Remote, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.home, self.name, self.remote = home, name, remote
        self.lost = SilenceMeter(clock)
        self.health = Health(alive=True)
        self.max_lost_seconds = ADOPT_SECONDS
        self.given_up: Process | None = None  #: it is dead, also if its machine answers again
        self.carrier: Carrier | None = None

    def start(self, name: str) -> Process:
        """Start the worker in a new session; raise LostConnection if its machine is away."""
        self._stop_carrying()
        process = self.remote.start()
        self.lost.look(alive=True)
        self.health, self.max_lost_seconds = Health(alive=True), MAX_LOST_SECONDS
        self._carry(process)
        WorkerFolder(self.home.workers / name).write_process(process)
        return process

    def alive(self, process: Process) -> bool:
        """Return whether the worker runs, or was there a moment ago."""
        if process == self.given_up:
            return False
        try:
            self.health = self.remote.check(process)
            self.lost.look(alive=True)
            self.max_lost_seconds = MAX_LOST_SECONDS
        except LostConnection as lost:
            if self.lost.look(alive=False) > self.max_lost_seconds and self.health.alive:
                log.warning("The machine of worker %s is away: %s", self.name, lost)
                self.health, self.given_up = Health(alive=False), process
                self._stop_carrying()
        if not self.health.alive:
            self._stop_carrying(last_turn=True)
        elif self.carrier is None:  # another scheduler started it
            self._carry(process)
        return self.health.alive

    def died_by_itself(self, process: Process) -> bool:  # noqa: ARG002 - the last one checked
        """Return whether a dead worker is known to have died of what it did."""
        return self.health.died_by_itself

    def activity(self, process: Process) -> Activity | None:  # noqa: ARG002
        """Return what the worker has done so far, None if that cannot be told."""
        return self.health.activity

    def reachable(self) -> bool:
        """Return whether the machine answered when it was asked last."""
        return not self.lost.seconds

    def stop(self, process: Process) -> None:
        """Kill the worker; one whose machine is away is given up, and killed by the next start."""
        self._stop_carrying()
        self.given_up = process
        with suppress(LostConnection):
            self.remote.stop(process)
        self.health = Health(alive=False)

    def _carry(self, process: Process) -> None:
        ferry = Ferry(self.home, self.name, self.remote.dock, int(process["session"]))
        self.carrier = Carrier(ferry)
        self.carrier.start()

    def _stop_carrying(self, *, last_turn: bool = False) -> None:
        """End the thread; with a `last_turn`, what a dead worker still wrote is fetched first."""
        if self.carrier is None:
            return
        self.carrier.end()
        if last_turn:
            self.carrier.carry()
        self.carrier = None


class Carrier(threading.Thread):
    """Runs a ferry's turns beside the scheduler, which never waits for a file."""

    def __init__(self, ferry: Ferry) -> None:
        super().__init__(name=f"ferry {ferry.folder.path.name}", daemon=True)
        self.ferry, self.ended = ferry, threading.Event()

    def run(self) -> None:
        """Carry until told to end."""
        while not self.ended.wait(TURN_SECONDS):
            self.carry()

    def carry(self) -> None:
        """Carry what is due; what a lost connection left is due again."""
        try:
            self.ferry.run_turn()
        except (LostConnection, StaleMessageError):
            pass
        except Exception:
            log.exception("A turn of the %s failed", self.name)

    def end(self) -> None:
        """End the thread after its turn."""
        self.ended.set()
        self.join()
