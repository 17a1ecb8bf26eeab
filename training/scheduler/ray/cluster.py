"""The machines that have joined over Ray, asked through a process of their own.

Nothing here imports Ray: the scheduler stays as light as it is, and outlives whatever ends Ray.
"""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from multiprocessing.connection import Connection
from typing import Any, cast

from storage.folders import Home
from storage.process import Process
from training.scheduler.ferry.remote import Dock, Health, LostConnection, Remote
from training.scheduler.ray.process import read_environment
from training.scheduler.ray.questions import LIST_PLACES, Answer, Call, Question
from training.scheduler.ray.security import require_token

log = logging.getLogger(__name__)

DRIVER = (sys.executable, "-m", "training", "node", "driver")
LOOK_SECONDS = 0.5  #: that a turn of the scheduler waits for an answer; it is asked for again
STOP_SECONDS = LIST_SECONDS = 5.0  #: for a stop, and for a list of places
FILE_SECONDS = 15.0  #: for a chunk of a file
AGAIN_SECONDS = 2.0  #: before the process that talks to Ray is started again
END_SECONDS = 5.0  #: that it may take to end


class RayCluster:
    """Asks the process that talks to Ray; it is started with the first question, and anew."""

    def __init__(self, home: Home, head: str, command: Sequence[str] = ()) -> None:
        """Raise UserError without Ray or a token.

        `command` starts a worker there; without one, each machine knows its own.
        """
        require_token()
        self.home, self.head, self.command = home, head, tuple(command)
        self.lock = threading.Lock()
        self.child: subprocess.Popen[bytes] | None = None
        self.link: socket.socket | None = None  #: the scheduler's end of `pipe`
        self.pipe: Connection | None = None
        self.waiting: dict[int, Future[Any]] = {}
        self.number, self.started_at = 0, -AGAIN_SECONDS

    def list_places(self) -> Collection[str]:
        """Return the places that can be reached now."""
        asked = Call(LIST_PLACES, "", "", "")
        return cast("Collection[str]", self.ask(asked, LIST_SECONDS))

    def open(self, place: str) -> Remote:
        """Return what a place can be asked."""
        return RayRemote(self, place)

    def dismiss(self, place: str) -> None:
        """Make the machine of a place leave."""
        self.ask(Call(place, "watch", "place", "leave"), STOP_SECONDS)

    def close(self) -> None:
        """End the process, and the head with it."""
        with self.lock:
            if self.link is not None:
                self.link.shutdown(socket.SHUT_RDWR)
            if self.child is not None:
                try:
                    self.child.wait(END_SECONDS)
                except subprocess.TimeoutExpired:
                    self.child.kill()
                    self.child.wait()
            self.child = self.pipe = self.link = None

    def ask(self, call: Call, seconds: float) -> Any:
        """Return an answer; raise LostConnection if none comes in time."""
        try:
            return self.submit(call, seconds).result(seconds)
        except Late:
            raise LostConnection(f"no answer from {call.place or self.head}") from None

    def submit(self, call: Call, seconds: float) -> Future[Any]:
        """Return an answer that is still to come."""
        with self.lock:
            pipe = self._open_pipe()
            self.number += 1
            answer = self.waiting[self.number] = Future[Any]()
            try:
                pipe.send(Question(self.number, call, seconds))
            except OSError as broken:
                self.waiting.pop(self.number)
                raise LostConnection(f"Ray is started anew: {broken}") from broken
            return answer

    def _open_pipe(self) -> Connection:
        if self.pipe is not None and self.child is not None and self.child.poll() is None:
            return self.pipe
        if time.monotonic() - self.started_at < AGAIN_SECONDS:
            raise LostConnection("Ray has not started yet")
        self.started_at = time.monotonic()
        self.link, there = socket.socketpair()
        with there:
            command = (*DRIVER, self.head, str(there.fileno()), str(self.home.path), *self.command)
            self.child = subprocess.Popen(
                command,
                pass_fds=(there.fileno(),),
                stdin=subprocess.DEVNULL,
                env=read_environment(),
            )
        self.pipe = Connection(self.link.dup().detach())
        threading.Thread(
            target=self._listen, args=(self.pipe,), name="answers of Ray", daemon=True
        ).start()
        return self.pipe

    def _listen(self, pipe: Connection) -> None:
        """Hand the answers on; without a process, all that was asked is lost."""
        try:
            while True:
                answer: Answer = pipe.recv()
                waiting = self.waiting.pop(answer.number, None)
                if waiting is not None and answer.error is not None:
                    waiting.set_exception(answer.error)
                elif waiting is not None:
                    waiting.set_result(answer.value)
        except (EOFError, OSError):
            with self.lock:
                lost, self.waiting = self.waiting, {}
                if self.pipe is pipe:
                    self.pipe = None
            for each in lost.values():
                each.set_exception(LostConnection("the process that talks to Ray has ended"))


class RayRemote:
    """A place on another machine, as a `RemoteBackend` asks it."""

    def __init__(self, cluster: RayCluster, place: str) -> None:
        self.cluster, self.place = cluster, place
        self.dock = cast("Dock", RayDock(cluster, place))
        #: the question that was not answered in time, with what comes of it
        self.late: tuple[Call, Future[Any]] | None = None

    def start(self) -> Process:
        """Start the worker; raise LostConnection until it has started."""
        return cast("Process", self._look("start"))

    def check(self, process: Process) -> Health:
        """Return how the worker of a session is."""
        return cast("Health", self._look("check", process))

    def stop(self, process: Process) -> None:
        """Kill the worker of a session."""
        self.cluster.ask(Call(self.place, "watch", "place", "stop", (process,)), STOP_SECONDS)

    def _look(self, method: str, *values: Any) -> Any:
        """Ask what may be answered later; raise LostConnection until it is.

        One question is not asked twice before it is answered, and waited for only once: a machine
        that is away must not hold up the workers of others.
        """
        call, seconds = Call(self.place, "watch", "place", method, values), LOOK_SECONDS
        if self.late is not None and self.late[0] == call:
            answer, seconds = self.late[1], 0.0
        else:
            answer = self.cluster.submit(call, FILE_SECONDS)
        self.late = None
        try:
            return answer.result(seconds)
        except Late:
            self.late = call, answer
            raise LostConnection(f"no answer from {self.place}") from None


class RayDock:
    """The files of a place: every method of `Dock`, asked over Ray."""

    def __init__(self, cluster: RayCluster, place: str) -> None:
        self._cluster, self._place = cluster, place

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return lambda *values: self._cluster.ask(
            Call(self._place, "files", "dock", method, values), FILE_SECONDS
        )
