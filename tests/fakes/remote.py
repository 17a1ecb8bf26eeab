"""Another machine: a data folder of its own, behind a wire that can be cut."""

from __future__ import annotations

from pathlib import Path

from benchmarks.speed.wire import Wire, Wired
from storage.folders import Home
from training.scheduler.ferry.place import LocalPlace


class FakeRemote(Wired):
    """A place whose worker is a real process, and whose jobs need no torch."""

    def __init__(self, path: Path, worker: str, command: tuple[str, ...], wire: Wire) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.home = Home(path)
        self.home.workers.mkdir(parents=True, exist_ok=True)
        self.place = LocalPlace(self.home, worker, command)
        super().__init__(self.place, wire)
        self.wire = wire
        self.dock = Wired(self.place.dock, wire)
