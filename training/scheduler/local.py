"""Workers as child processes on this machine, each in its own session."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from storage.folders import Home
from storage.process import Process, is_alive
from training.worker.process import Activity, count_memory_kills, describe_process, read_activity
from training.worker.worker import TAKEN_EXIT_CODE

WORKER_COMMAND = (sys.executable, "-m", "training", "worker")
MAX_LOG_BYTES = 4 * 1024 * 1024  #: of a worker's log; then it is put aside
MAX_TERM_SECONDS = 2.0  #: between SIGTERM and SIGKILL
#: signals that no process sends itself by a fault; SIGKILL is the system's, too, without memory
FOREIGN_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)

#: The environment variables a worker may see: no DISCORD_TOKEN, no secret but a model hub's and
#: the keys of the photos that it reads.
ALLOWED_NAMES = re.compile(
    r"PATH|HOME|USER|LANG|LC_\w+|TZ|TMPDIR|TEMP|TMP|SYSTEMROOT|LD_LIBRARY_PATH|VIRTUAL_ENV"
    r"|PYTHON\w+|XDG_\w+|SSL_CERT_\w+|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|(HTTPS?|NO|ALL)_PROXY"
    r"|(CUDA|NVIDIA|CUBLAS|CUDNN|NCCL|HIP|ROCR?|HSA|TORCH|PYTORCH|TRITON|OMP|MKL|OPENBLAS)\w*"
    r"|HF_\w+|HUGGINGFACE_\w+|TRANSFORMERS_\w+|DIFFUSERS_\w+|SAFELIGHT_\w+",
    re.IGNORECASE,
)


def allowed_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the part of an environment that a worker may see."""
    return {name: value for name, value in environment.items() if ALLOWED_NAMES.fullmatch(name)}


class LocalBackend:
    """Starts `python -m training worker NAME`; the process outlives the scheduler."""

    def __init__(
        self,
        home: Home,
        command: Sequence[str] = WORKER_COMMAND,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.home = home
        self.command = tuple(command)
        self.environment = allowed_environment(os.environ if environment is None else environment)
        self.children: dict[int, subprocess.Popen[bytes]] = {}  #: by pid, to be reaped
        self.exit_codes: dict[int, int] = {}  #: of children that are gone, by pid
        self.memory_kills: dict[int, int | None] = {}  #: of the system at a child's start, by pid

    def start(self, name: str) -> Process:
        """Start the worker of that name and return at once."""
        folder = self.home.workers / name
        folder.mkdir(parents=True, exist_ok=True)
        kills, log = count_memory_kills(), folder / "log.txt"
        if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
            log.replace(folder / "log.old.txt")
        with log.open("ab") as output:
            child = subprocess.Popen(
                [*self.command, name],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=self.environment | {"SAFELIGHT_HOME": str(self.home.path)},
            )
        self.children[child.pid] = child
        self.memory_kills[child.pid] = kills
        return describe_process(child.pid)

    def alive(self, process: Process) -> bool:
        """Return whether that very process still runs."""
        child = self.children.get(process["pid"])
        if child is not None:  # /proc may call it dead while one of its threads still ends
            if child.poll() is None:
                return True
            del self.children[child.pid]
            self.exit_codes[child.pid] = child.returncode
        return is_alive(process)

    def died_by_itself(self, process: Process) -> bool:
        """Return whether a dead process is known to have died of what it did."""
        code = self.exit_codes.pop(process["pid"], None)
        kills = self.memory_kills.pop(process["pid"], None)
        if code == -signal.SIGKILL:  # without numbers, the lack of memory is more likely
            return kills is None or kills != count_memory_kills()
        return code not in {None, 0, TAKEN_EXIT_CODE, *(-each for each in FOREIGN_SIGNALS)}

    def activity(self, process: Process) -> Activity | None:
        """Return what the process has done so far, None if that cannot be told."""
        return read_activity(process["pid"])

    def reachable(self) -> bool:
        """Return True: this machine answers."""
        return True

    def stop(self, process: Process) -> None:
        """Kill the process, whatever it does; return when it is gone."""
        for ask in (signal.SIGTERM, signal.SIGKILL):
            if not self.alive(process):
                return
            with suppress(ProcessLookupError):
                os.kill(process["pid"], ask)
            deadline = time.monotonic() + MAX_TERM_SECONDS
            while self.alive(process) and time.monotonic() < deadline:
                time.sleep(0.05)
