"""`workers/<name>/`: the files by which the trainer and one worker know of each other."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storage.folders import dump
from training.worker.inbox import Inbox

if TYPE_CHECKING:
    from pathlib import Path

    from training.scheduler.backend import Handle


@dataclass(frozen=True, slots=True)
class Desk:
    """The folder of a worker."""

    path: Path

    @property
    def inbox(self) -> Inbox:
        """Where requests arrive."""
        return Inbox(self.path / "inbox")

    @property
    def heartbeat(self) -> Path:
        """Touched by a living worker."""
        return self.path / "heartbeat"

    @property
    def trainer(self) -> Path:
        """Touched by a living trainer."""
        return self.path / "trainer"

    @property
    def lock(self) -> Path:
        """Held by the worker: two of one name would share an inbox."""
        return self.path / "lock"

    def handle(self) -> Handle | None:
        """Return what names the worker that was here last."""
        return _load(self.path / "handle.json")

    def sign(self, handle: Handle) -> None:
        """Say which worker is here."""
        dump(self.path / "handle.json", handle)

    def catalog(self) -> dict[str, Any] | None:
        """Return what the worker can do; None until it knows."""
        return _load(self.path / "catalog.json")

    def offered(self) -> int:
        """Return when the worker said that."""
        return (self.path / "catalog.json").stat().st_mtime_ns

    def offer(self, catalog: dict[str, Any]) -> None:
        """Say what the worker can do."""
        dump(self.path / "catalog.json", catalog)

    def state(self) -> dict[str, Any] | None:
        """Return what the worker holds; None until it takes requests."""
        return _load(self.path / "state.json")

    def tell(self, state: dict[str, Any]) -> None:
        """Say what the worker holds."""
        dump(self.path / "state.json", state)

    def clear(self) -> None:
        """Make room for a new worker."""
        self.inbox.clear()
        for name in ("state.json", "catalog.json", "heartbeat"):
            (self.path / name).unlink(missing_ok=True)


def _load(path: Path) -> dict[str, Any] | None:
    try:
        loaded: dict[str, Any] = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return loaded
