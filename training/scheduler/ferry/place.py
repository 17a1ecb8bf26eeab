"""A place on this machine for a scheduler on another one: the `Remote` that a wire leads to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from storage.folders import Home
from storage.process import Process
from storage.tables.nodes import OWNER
from training.scheduler.ferry.dock import BoxDock
from training.scheduler.ferry.remote import Health, KeptAway
from training.scheduler.local import WORKER_COMMAND, LocalBackend
from training.worker.inbox import Command, Request


class LocalPlace:
    """Runs one ordinary worker on a data folder of its own, which has no database."""

    def __init__(
        self,
        home: Home,
        worker: str,
        command: Sequence[str] = WORKER_COMMAND,
        environment: Mapping[str, str] | None = None,
        is_taken: Callable[[], bool] = lambda: False,
    ) -> None:
        """`is_taken` tells whether the machine's owner uses it: then no worker runs."""
        self.worker = worker
        self.dock = BoxDock(home, worker)
        self.backend = LocalBackend(home, command, environment)
        self.is_taken, self.leaving = is_taken, False  #: whether the worker was asked to end
        self.started: Process | None = None  #: it may not have written its name yet

    def start(self) -> Process:
        """End the worker if there is one, remove what it left, start it in a new session.

        Raise KeptAway while the machine's owner uses it.
        """
        if self.is_taken():
            raise KeptAway(OWNER)
        self._end_worker()
        session = self.dock.begin_session()
        self.dock.worker.clear()
        self.started, self.leaving = self.backend.start(self.worker), False
        return self.started | {"session": session}

    def check(self, process: Process) -> Health:
        """Return how the worker of a session is; one of an earlier session is dead."""
        if process.get("session") != self.dock.session:
            return Health(alive=False)
        if self.backend.alive(process):
            if self.is_taken() and not self.leaving:
                self.leaving = True
                self.dock.worker.inbox.send(Request(Command.LEAVE))
            return Health(alive=True, activity=self.backend.activity(process))
        return Health(alive=False, died_by_itself=self.backend.died_by_itself(process))

    def stop(self, process: Process) -> None:
        """Kill the worker of a session, and remove its jobs' files."""
        if process.get("session") == self.dock.session:
            self._end_worker()
            self.dock.sweep()

    def leave(self) -> None:
        """Kill the worker, and remove every byte of a member's."""
        self._end_worker()
        self.dock.sweep()

    def _end_worker(self) -> None:
        for process in (self.started, self.dock.worker.read_process()):
            if process is not None:
                self.backend.stop(process)
        self.started = None
