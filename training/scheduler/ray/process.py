"""Ray's processes on this machine: those of the head, or those that join one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from storage.folders import write_json
from storage.process import identify_process, is_alive, read_birth, read_boot
from training.scheduler.ray.security import read_versions

RAY = (sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--disable-usage-stats")
END_SECONDS = 2.0  #: that Ray may take to end by itself
#: that Ray's processes wait for a head that is gone, instead of a minute
HEAD_GONE_SECONDS = 10


class Ray:
    """Runs `ray start`, and ends all that it has started, also what an earlier run has left."""

    def __init__(self, note: Path, flags: Sequence[str], **environment: str) -> None:
        """`note` is a file in which the process is named; beside it, `log` has what Ray says."""
        self.note, self.log, self.environment = note, note.with_suffix(".log"), environment
        labels = ",".join(f"{name}={value}" for name, value in read_versions().items())
        self.command = [*RAY, "--num-cpus=0", f"--labels={labels}", *flags]
        self.child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, after what was left of an earlier one has ended."""
        with suppress(OSError, ValueError):
            left = json.loads(self.note.read_bytes())
            if left["boot"] == read_boot() and (is_alive(left) or read_birth(left["pid"]) is None):
                end_session(left["pid"])
        with suppress(FileNotFoundError):
            self.log.replace(self.log.with_suffix(".old.log"))
        with self.log.open("wb") as log:
            self.child = subprocess.Popen(
                self.command, env=read_environment() | self.environment, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        write_json(self.note, identify_process(self.child.pid))

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended by itself."""
        return self.child is not None and self.child.poll() is None

    def wait(self) -> None:
        """Wait until it ends."""
        if self.child is not None:
            self.child.wait()

    def end(self) -> None:
        """End all of it."""
        if self.child is None:
            return
        for pid in list_session(self.child.pid):  # `ray start` alone waits half a minute
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.child.wait(END_SECONDS)
        end_session(self.child.pid)
        self.child.wait()
        self.child = None
        self.note.unlink(missing_ok=True)


def end_session(leader: int) -> None:
    """Kill all processes of a session, whose leader may be gone, and wait until they are.

    Ray starts no second head as long as it finds a process of the first one.
    """
    deadline = time.monotonic() + END_SECONDS
    while (left := list_session(leader)) and time.monotonic() < deadline:
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def list_session(leader: int) -> list[int]:
    """List the living processes of a session."""
    found = list[int]()
    for pid in psutil.pids():
        with suppress(ProcessLookupError):
            if os.getsid(pid) == leader and read_birth(pid) is not None:
                found.append(pid)
    return found


def read_environment() -> dict[str, str]:
    """Return the environment in which Ray runs: without the bot's token, which it never needs.

    A worker finds its GPU by its own name, as on any machine.
    """
    known = {name: value for name, value in os.environ.items() if name != "DISCORD_TOKEN"}
    return known | {
        "RAY_EXPERIMENTAL_NOSET_CUDA_VISIBLE_DEVICES": "1",
        "RAY_gcs_rpc_server_reconnect_timeout_s": str(HEAD_GONE_SECONDS),
    }
