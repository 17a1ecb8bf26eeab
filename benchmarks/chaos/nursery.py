"""A process that has imported everything and forks the roles, so that a start takes no seconds.

    python -m benchmarks.chaos.nursery FOLDER

One serves any number of houses: each role works in the folder of its house. What is forked runs
the program's own entry points. One start of a worker in ten is a real one, by the command that the
scheduler uses, so that deaths while torch loads are among the others.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import random
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yarl

from benchmarks.chaos.crashpoints import CrashPoints
from storage.process import Process, read_birth
from training.scheduler.local import LocalBackend

PR_SET_PDEATHSIG = 1
SOCKET, EXITS = "nursery.sock", "exits.log"
NURSERY = "CHAOS_NURSERY"  #: the environment variable with the socket's path
REAL_START_SHARE = 0.1  #: of a worker's starts, by a command instead of a fork
PRELOADED = (
    "torch._dynamo", "training.worker.runtime", "training.scheduler.scheduler", "bot.__main__",
    "training.__main__", "storage.store", "training.worker.worker", "bot.jobfeed.follower",
)  # fmt: skip


def ask_for(nursery: Path, folder: Path, role: str, environment: Mapping[str, str]) -> Process:
    """Have a nursery fork a role that works in a folder; return its process."""
    asked = {"folder": str(folder), "role": role, "environment": {**environment}}
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(nursery))
        line.sendall(json.dumps(asked).encode())
        answer = line.recv(4096)
    process: Process = json.loads(answer)
    return process


class ForkBackend(LocalBackend):
    """Starts workers by a fork."""

    def start(self, name: str) -> Process:
        """Start the worker of that name and return at once."""
        if random.random() < REAL_START_SHARE:
            return super().start(name)
        (self.home.workers / name).mkdir(parents=True, exist_ok=True)
        known = {"SAFELIGHT_HOME": str(self.home.path)}
        return ask_for(Path(os.environ[NURSERY]), Path.cwd(), f"worker-{name}", known)


def run_role(role: str) -> int:
    """Run a role in this process; return its exit code."""
    if role == "bot":
        return run_bot(os.environ["CHAOS_DISCORD"])
    if role == "scheduler":
        from training.scheduler import local  # noqa: PLC0415

        local.LocalBackend = ForkBackend  # type: ignore[misc]
    from training.__main__ import main  # noqa: PLC0415

    sys.argv = ["training"] if role == "scheduler" else ["training", *role.split("-", 1)]
    return main()


def run_bot(address: str) -> int:
    """Run the bot against the Discord of the harness."""
    import discord.gateway  # noqa: PLC0415
    import discord.http  # noqa: PLC0415

    from bot.__main__ import main  # noqa: PLC0415

    discord.http.Route.BASE = f"http://{address}/api/v10"
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(f"ws://{address}/gateway")
    return main()


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends (Linux: prctl)."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def become(folder: Path, role: str, environment: Mapping[str, str]) -> None:
    """Turn a forked process into a role; never returns."""
    code = 1
    try:
        die_with_parent()
        os.setsid()
        os.chdir(folder)
        os.environ.update(environment)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        random.seed()
        with (folder / f"{role}.log").open("ab") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        CrashPoints(folder, role).install()
        code = run_role(role)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except Exception:  # noqa: BLE001 - as the interpreter would end it
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        with (folder / EXITS).open("a") as exits:
            exits.write(f"{role} {os.getpid()} {code}\n")
        os._exit(code)


def serve(folder: Path) -> None:
    """Fork roles as asked, until killed."""
    die_with_parent()
    for name in PRELOADED:
        importlib.import_module(name)
    from training import lazy  # noqa: PLC0415

    for name in lazy.SLOW_IMPORTS:
        lazy.import_slowly(name)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps
    os.environ[NURSERY] = str(folder / SOCKET)
    with socket.socket(socket.AF_UNIX) as line:
        line.bind(os.environ[NURSERY])
        line.listen()
        while True:
            caller, _ = line.accept()
            with caller:
                if not (content := caller.recv(4096)):
                    continue  # who asked was killed
                asked: dict[str, Any] = json.loads(content)
                pid = os.fork()
                if pid == 0:
                    line.close()
                    caller.close()
                    become(Path(asked["folder"]), asked["role"], asked["environment"])
                with suppress(BrokenPipeError):  # the same, a little later
                    caller.sendall(json.dumps({"pid": pid, "born": read_birth(pid)}).encode())


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
