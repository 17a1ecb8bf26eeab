"""`workers/<name>/`: the files by which the scheduler and one worker know of each other."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.folders import write_json
from storage.process import Process
from training.worker.inbox import Inbox


def name_folder(worker: str, box: str) -> str:
    """Return the name of a worker's folder: its device, with its machine if that is not this one.

    `worker` is `box/cuda0`, or `cuda0` in what a version of before has left. The names of machines
    hold no "+".
    """
    machine, _, device = worker.rpartition("/")
    return device if machine in {"", box} else f"{machine}+{device}"


@dataclass(frozen=True, slots=True)
class WorkerFolder:
    """The folder of a worker. Its file names stay: workers outlive an upgrade."""

    path: Path

    @property
    def inbox(self) -> Inbox:
        """Where requests arrive."""
        return Inbox(self.path / "inbox")

    @property
    def heartbeat(self) -> Path:
        """Counted up by a living worker."""
        return self.path / "heartbeat"

    @property
    def scheduler_heartbeat(self) -> Path:
        """Counted up by a living scheduler."""
        return self.path / "trainer"

    @property
    def marker(self) -> Path:
        """Names the run that the worker advances right now."""
        return self.path / "advancing"

    @property
    def lock(self) -> Path:
        """Held by the worker: two of one name would share an inbox."""
        return self.path / "lock"

    @property
    def log(self) -> Path:
        """What the worker prints."""
        return self.path / "log.txt"

    def read_process(self) -> Process | None:
        """Return the process that was the worker last."""
        return read_json(self.path / "handle.json")

    def write_process(self, process: Process) -> None:
        """Note which process is the worker."""
        write_json(self.path / "handle.json", process)

    def read_catalog(self) -> dict[str, Any] | None:
        """Return what the worker can do; None until it knows."""
        return read_json(self.path / "catalog.json")

    def read_catalog_bytes(self) -> bytes:
        """Return the file with what the worker can do, empty until it knows."""
        with suppress(FileNotFoundError):
            return (self.path / "catalog.json").read_bytes()
        return b""

    def write_catalog(self, catalog: dict[str, Any]) -> None:
        """Publish what the worker can do."""
        write_json(self.path / "catalog.json", catalog)

    def read_state(self) -> dict[str, Any] | None:
        """Return the jobs the worker holds and the bases it `serves`; None until it is ready."""
        return read_json(self.path / "state.json")

    def holds(self, job: int) -> bool:
        """Return whether the worker says that it holds a job."""
        return any(held["job"] == job for held in (self.read_state() or {}).get("held", ()))

    def write_state(self, state: dict[str, Any]) -> None:
        """Publish the jobs the worker holds and the bases it `serves`."""
        write_json(self.path / "state.json", state)

    def clear(self) -> None:
        """Delete what an earlier worker left, but for its process.

        Its heartbeat stays, to be counted on: a full disk might have no room for a new one.
        """
        self.inbox.clear()
        for name in ("state.json", "catalog.json", "advancing"):
            (self.path / name).unlink(missing_ok=True)
        for part in self.path.glob(".*.part"):  # it was killed while it wrote
            part.unlink(missing_ok=True)


def read_json(path: Path) -> dict[str, Any] | None:
    """Read a JSON file; None if it is missing or broken."""
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return content
