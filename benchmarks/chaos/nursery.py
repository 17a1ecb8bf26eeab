"""A process that has imported everything and forks the roles, so that a start takes no seconds.

    python -m benchmarks.chaos.nursery FOLDER

What is forked runs the program's own entry points. One start of a worker in ten is a real one,
by the command that the scheduler uses, so that deaths while torch loads are among the others.
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
from contextlib import suppress
from pathlib import Path
from typing import Any

import yarl

from benchmarks.chaos.crashpoints import CrashPoints
from storage.process import Process, read_birth
from training.scheduler.local import LocalBackend

PR_SET_PDEATHSIG = 1
SOCKET, EXITS = "nursery.sock", "exits.log"
REAL_START_SHARE = 0.1  #: of a worker's starts, by a command instead of a fork
PRELOADED = (
    "torch._dynamo", "training.worker.runtime", "training.scheduler.scheduler", "bot.__main__",
    "training.__main__", "storage.store", "training.worker.worker", "bot.jobfeed.follower",
)  # fmt: skip


def ask_for(folder: Path, role: str) -> Process:
    """Have the nursery fork a role; return its process."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(folder / SOCKET))
        line.sendall(json.dumps({"role": role}).encode())
        answer = line.recv(4096)
    process: Process = json.loads(answer)
    return process


class ForkBackend(LocalBackend):
    """Starts workers by a fork."""

    folder = Path()

    def start(self, name: str) -> Process:
        """Start the worker of that name and return at once."""
        if random.random() < REAL_START_SHARE:
            return super().start(name)
        (self.home.workers / name).mkdir(parents=True, exist_ok=True)
        return ask_for(self.folder, f"worker-{name}")


def run_role(folder: Path, role: str) -> int:
    """Run a role in this process; return its exit code."""
    if role == "bot":
        return run_bot(os.environ["CHAOS_DISCORD"])
    if role == "scheduler":
        from training.scheduler import local  # noqa: PLC0415

        ForkBackend.folder = folder
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


def become(folder: Path, role: str) -> None:
    """Turn a forked process into a role; never returns."""
    code = 1
    try:
        die_with_parent()
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        random.seed()
        with (folder / f"{role}.log").open("ab") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        CrashPoints(folder, role).install()
        code = run_role(folder, role)
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
    with socket.socket(socket.AF_UNIX) as line:
        line.bind(str(folder / SOCKET))
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
                    become(folder, asked["role"])
                with suppress(BrokenPipeError):  # the same, a little later
                    caller.sendall(json.dumps({"pid": pid, "born": read_birth(pid)}).encode())


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
