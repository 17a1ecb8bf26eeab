"""What can happen to machines that have joined: processes are killed and cables pulled."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum

import psutil

from benchmarks.speed.boxes import Box
from storage.folders import Home
from training.scheduler.local import WORKER_COMMAND


class Fault(StrEnum):
    """One thing that goes wrong."""

    WORKER = "worker"  #: the process that trains on a box
    RAYLET = "raylet"  #: Ray's process on a box
    HEAD = "head"  #: all of Ray on the main machine
    CABLE = "cable"  #: between a box and the main machine, for a while

    @contextmanager
    def happens(self, box: Box, main: Home) -> Iterator[None]:
        """Let it happen to a box or to the main machine; a cable is put back after the block."""
        if self is Fault.CABLE:
            box.plug(plugged=False)
        elif self is Fault.HEAD:
            kill_session(int(json.loads((main.path / "ray.json").read_bytes())["pid"]))
        else:
            kill_in(box, self)
        yield
        box.plug(plugged=True)


def kill_in(box: Box, what: Fault) -> None:
    """Kill a box's worker, or Ray's process there; raise RuntimeError if there is none."""
    killed = False
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            command = process.cmdline()
            raylet = bool(command) and command[0].endswith("/raylet")
            found = raylet if what is Fault.RAYLET else tuple(command[:-1]) == WORKER_COMMAND
            if found and process.environ().get("SAFELIGHT_BOX") == box.name:
                process.kill()
                killed = True
    if not killed:
        raise RuntimeError(f"{box.name} has no {what}")


def kill_session(leader: int) -> None:
    """Kill all processes of a session."""
    for pid in psutil.pids():
        with suppress(ProcessLookupError):
            if os.getsid(pid) == leader:
                os.kill(pid, signal.SIGKILL)
