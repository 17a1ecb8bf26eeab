"""What a shell on the main machine asks of the machines that have joined, while the bot runs."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray

from storage.errors import UserError
from training.scheduler.ferry.remote import LostConnection
from training.scheduler.ray.driver import ask_actor, list_places
from training.scheduler.ray.fetch import FetchState
from training.scheduler.ray.node import NAMESPACE, connect
from training.scheduler.ray.questions import Call

HEAD_SECONDS = 5.0  #: that the head may take to answer
ASK_SECONDS = 30.0  #: the same for a machine
LOOK_SECONDS = 0.5  #: between two looks at a download


def list_joined(head: str) -> dict[str, str]:
    """Return the places that can be reached, each with what differs in its versions.

    Raise UserError if the scheduler does not run.
    """
    try:
        with silenced():
            connect(head, HEAD_SECONDS)
    except LostConnection:
        raise UserError("head_away", address=head) from None
    return list_places()


@contextmanager
def silenced() -> Iterator[None]:
    """Keep stderr from Ray, which writes there in C++: what is wrong is said in a sentence."""
    stderr = os.dup(2)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def fetch_base(head: str, box: str, name: str) -> int:
    """Download a base on a machine that has joined; return the exit code of the download."""
    joined = list_joined(head)
    place = next((each for each in joined if box in {each, each.rpartition("/")[0]}), None)
    if place is None:
        raise UserError("node_unknown", node=box, joined=", ".join(joined) or "none")
    try:
        actor = ray.get_actor(place, NAMESPACE)
        ask(actor, place, "begin", name)
        return follow(actor, place)
    except (LostConnection, ValueError) as lost:
        raise UserError("node_lost", node=place, reason=str(lost)) from lost


def follow(actor: Any, place: str) -> int:
    """Print the lines of a download until it ends; return its exit code."""
    offset, code = 0, None
    while code is None:
        state: FetchState = ask(actor, place, "read", offset)
        sys.stdout.write(state.lines.decode())
        sys.stdout.flush()
        offset, code = offset + len(state.lines), state.exit_code
        time.sleep(0 if state.lines else LOOK_SECONDS)
    return code


def ask(actor: Any, place: str, method: str, *values: Any) -> Any:
    """Return what a machine's `BaseFetch` answers."""
    return ask_actor(actor, Call(place, "bases", "bases", method, values), ASK_SECONDS)
