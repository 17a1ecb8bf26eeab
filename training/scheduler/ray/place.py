"""What answers on another machine: an actor around one worker and its files."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from storage.folders import Home
from storage.settings import read_settings
from training.scheduler.ferry.place import LocalPlace
from training.scheduler.local import WORKER_COMMAND
from training.scheduler.ray.fetch import BaseFetch
from training.scheduler.ray.owner import OwnerWatch
from training.settings import TrainingSettings

#: The actor's threads: one a group, so that files are never written by two calls at once, and
#: the worker is watched meanwhile.
THREADS = {"files": 1, "watch": 1, "bases": 1}
JOIN = "SAFELIGHT_JOIN"  #: the variable with the number of the process of `safelight node join`


class PlaceActor:
    """A worker in a folder of its own, on a machine without database and Discord token."""

    def __init__(self, worker: str, command: Sequence[str]) -> None:
        """`command` starts the worker, if it is not this machine's own."""
        settings = read_settings(TrainingSettings)
        owner = OwnerWatch(settings.yield_names)
        home = open_place(settings.home, worker)
        place = LocalPlace(home, worker, command or WORKER_COMMAND, is_taken=owner.is_busy)
        self.targets = {"place": place, "dock": place.dock, "bases": BaseFetch(home)}

    def ask(self, target: str, method: str, *values: Any) -> Any:
        """Call a method of `Remote`, of its `Dock` or of `BaseFetch`.

        The place's "leave" ends `safelight node join`, which removes all files of jobs.
        """
        if (target, method) == ("place", "leave"):
            os.kill(int(os.environ[JOIN]), signal.SIGTERM)
            return None
        return getattr(self.targets[target], method)(*values)


def open_place(home: Path, worker: str) -> Home:
    """Return the folder of a place: another one each, as a place removes all that is not its own.

    Bases are those of the whole machine.
    """
    place = Home(home / "places" / worker)
    place.workers.mkdir(parents=True, exist_ok=True)
    Home(home).bases.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        place.bases.symlink_to(Home(home).bases.absolute(), target_is_directory=True)
    return place
