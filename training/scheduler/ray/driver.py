"""The process that talks to Ray: it runs the head, and passes questions on to the actors.

It ends with the scheduler that started it, with its head, and whenever Ray ends it.
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from storage.errors import UserError
from storage.folders import Home
from storage.settings import read_settings
from storage.tables.nodes import VERSIONS
from training.scheduler.ferry.remote import KeptAway, LostConnection
from training.scheduler.ray.node import NAMESPACE, RESOURCE, connect, list_head_flags
from training.scheduler.ray.place import THREADS, PlaceActor
from training.scheduler.ray.process import Ray
from training.scheduler.ray.questions import LIST_PLACES, PASSED_ON, Answer, Call, Question
from training.scheduler.ray.security import compare_versions, read_versions
from training.settings import TrainingSettings

log = logging.getLogger(__name__)

HEAD_SECONDS = 300.0  #: that the head may take to start, on a machine that is busy
ASKED_AT_ONCE = 64
LOOK_SECONDS = 1.0  #: between two looks at who is there


class Driver:
    """Answers the scheduler's questions until it closes the pipe."""

    def __init__(self, head: str, pipe: Connection, home: Home, command: Sequence[str]) -> None:
        self.pipe, self.home, self.command = pipe, home, tuple(command)
        box = read_settings(TrainingSettings).box_name
        self.head = Ray(home.path / "ray.json", list_head_flags(head, box))
        self.address = head
        self.ready, self.closing = threading.Event(), False
        self.lock = threading.RLock()
        self.seen, self.seen_at = dict[str, str](), -LOOK_SECONDS  #: places, and when
        self.actors: dict[str, Any] = {}  #: by place
        self.answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()

    def run(self) -> int:
        """Run the head and answer until the pipe is closed, or SIGTERM; return the exit code."""
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        for target in (self.run_head, self.send_answers):
            threading.Thread(target=target, daemon=True).start()
        pool = ThreadPoolExecutor(ASKED_AT_ONCE)
        with suppress(EOFError, OSError, KeyboardInterrupt):
            while True:
                pool.submit(self.answer, self.pipe.recv())
        self.closing = True
        self.head.end()
        os._exit(0)  # Ray's own threads may still wait for the head

    def run_head(self) -> None:
        """Start the head and connect to it; end with it."""
        self.head.start()
        try:
            connect(self.address, HEAD_SECONDS, lambda: self.head.runs)
            self.ready.set()
            log.info("Other machines can join at %s", self.address)
            self.head.wait()
        except (LostConnection, UserError) as away:
            log.warning("Ray's head does not start at %s: %s", self.address, away)
        if not self.closing:
            log.warning("Ray's head has ended and is started anew. It said: %s", self.head.log)
            self.head.end()
            os._exit(1)

    def send_answers(self) -> None:
        """Send the answers, one at a time."""
        while True:
            self.pipe.send(self.answers.get())

    def answer(self, question: Question) -> None:
        """Answer a question, with an error if there is one."""
        try:
            answer = Answer(question.number, self.ask(question))
        except PASSED_ON as error:
            answer = Answer(question.number, error=error)
        except Exception as lost:  # noqa: BLE001 - whatever Ray raises, the place is lost
            away = LostConnection(f"{question.call.place}: {lost}")
            answer = Answer(question.number, error=away)
        self.answers.put(answer)

    def ask(self, question: Question) -> Any:
        """Return what the actor of a place answers."""
        if not self.ready.is_set():
            raise LostConnection("Ray has not started yet")
        call = question.call
        if call.place == LIST_PLACES:
            return list(self.places())
        try:
            return ask_actor(self.find_actor(call.place), call, question.seconds)
        except (RayError, ValueError):
            self.actors.pop(call.place, None)
            raise

    def places(self) -> dict[str, str]:
        """Return the places as they were a moment ago: dozens of questions come in a second."""
        with self.lock:
            if time.monotonic() - self.seen_at > LOOK_SECONDS:
                self.seen, self.seen_at = list_places(), time.monotonic()
            return self.seen

    def find_actor(self, place: str) -> Any:
        """Return the actor of a place, made if nobody did; raise LostConnection if it is away.

        Raise KeptAway if its machine has other versions.
        """
        with self.lock:
            wrong = self.places().get(place)
            if wrong is None:
                raise LostConnection(f"{place} has not joined")
            if wrong:
                raise KeptAway(f"{VERSIONS} {wrong}")
            if place not in self.actors:
                made = ray.remote(concurrency_groups=THREADS)(PlaceActor).options(
                    name=place, namespace=NAMESPACE, lifetime="detached", get_if_exists=True,
                    num_cpus=0, num_gpus=int("/cuda" in place),
                    resources={RESOURCE.format(place=place): 1},
                    max_restarts=-1, max_task_retries=0,
                )  # fmt: skip
                self.actors[place] = made.remote(place.rpartition("/")[2], self.command)
            return self.actors[place]


def ask_actor(actor: Any, call: Call, seconds: float) -> Any:
    """Return what an actor answers; raise what it raised, or LostConnection if it is late."""
    ask = actor.ask.options(concurrency_group=call.group)
    asked = ask.remote(call.target, call.method, *call.values)
    if not ray.wait([asked], timeout=seconds)[0]:
        ray.cancel(asked)  # one that still waits here must not arrive late
        raise LostConnection(f"no answer from {call.place}")
    try:
        return ray.get(asked)
    except RayTaskError as failed:
        if isinstance(failed.cause, PASSED_ON):
            raise failed.cause from None
        raise


def list_places() -> dict[str, str]:
    """Return the places of the machines that are there, each with what differs in its versions."""
    prefix, here = RESOURCE.format(place=""), read_versions()
    found = {
        name.removeprefix(prefix): compare_versions(here, node["Labels"])
        for node in ray.nodes()
        if node["Alive"]
        for name in node["Resources"]
        if name.startswith(prefix)
    }
    return dict(sorted(found.items()))


def run_driver(head: str, descriptor: str, home: str, *command: str) -> int:
    """Answer at the descriptor of a pipe until it is closed."""
    return Driver(head, Connection(int(descriptor)), Home(Path(home)), command).run()
