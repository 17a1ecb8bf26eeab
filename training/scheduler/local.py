"""Workers as child processes of this machine, each in a session of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from training.worker.process import birth

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from storage.folders import Home
    from training.scheduler.backend import Handle

COMMAND = (sys.executable, "-m", "training", "worker")
LOG = 4 * 1024 * 1024  #: bytes after which a worker's log is put aside
PATIENCE = 2.0  #: seconds between asking a process to end and ending it

#: What a worker may know of the environment. DISCORD_TOKEN, or any secret that is not a model
#: hub's, is not among it.
ALLOWED = re.compile(
    r"PATH|HOME|USER|LANG|LC_\w+|TZ|TMPDIR|TEMP|TMP|SYSTEMROOT|LD_LIBRARY_PATH|VIRTUAL_ENV"
    r"|PYTHON\w+|XDG_\w+|SSL_CERT_\w+|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|(HTTPS?|NO|ALL)_PROXY"
    r"|(CUDA|NVIDIA|CUBLAS|CUDNN|NCCL|HIP|ROCR?|HSA|TORCH|PYTORCH|TRITON|OMP|MKL|OPENBLAS)\w*"
    r"|HF_\w+|HUGGINGFACE_\w+|TRANSFORMERS_\w+|DIFFUSERS_\w+|SAFELIGHT_\w+",
    re.IGNORECASE,
)


def allowed(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the part of an environment that a worker may see."""
    return {name: value for name, value in environment.items() if ALLOWED.fullmatch(name)}


class LocalBackend:
    """Starts `python -m training worker NAME`; the process outlives the trainer."""

    def __init__(
        self,
        home: Home,
        command: Sequence[str] = COMMAND,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.home = home
        self.command = tuple(command)
        self.environment = allowed(os.environ if environment is None else environment)
        self.children: dict[int, subprocess.Popen[bytes]] = {}  # to be reaped

    def start(self, name: str) -> Handle:
        """Start the worker of that name and return at once."""
        folder = self.home.workers / name
        folder.mkdir(parents=True, exist_ok=True)
        log = folder / "log.txt"
        if log.exists() and log.stat().st_size > LOG:
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
        return {"pid": child.pid, "born": birth(child.pid)}

    def alive(self, handle: Handle) -> bool:
        """Return whether that very worker still runs."""
        child = self.children.get(handle["pid"])
        if child is not None:  # /proc may call it dead while one of its threads still ends
            if child.poll() is None:
                return True
            del self.children[child.pid]
        born = birth(handle["pid"])
        return born is not None and born == handle["born"]

    def stop(self, handle: Handle) -> None:
        """End the worker now, whatever it does; return when it is gone."""
        for ask in (signal.SIGTERM, signal.SIGKILL):
            if not self.alive(handle):
                return
            with suppress(ProcessLookupError):
                os.kill(handle["pid"], ask)
            deadline = time.monotonic() + PATIENCE
            while self.alive(handle) and time.monotonic() < deadline:
                time.sleep(0.05)
