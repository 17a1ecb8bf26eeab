"""Hand a run's numbers to TensorBoard or Weights & Biases, through accelerate's trackers.

Whatever they do, the training goes on: one that fails is left out, and the log says so.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from storage.folders import JobFolder

PROJECT = "safelight"
#: W&B would send what the worker prints and the code around it: captions and prompts among that
ONLY_NUMBERS = {"console": "off", "disable_code": True, "disable_git": True}
log = logging.getLogger(__name__)


class Trackers:
    """The trackers of one run, by their names."""

    def __init__(self, names: Sequence[str], folder: JobFolder) -> None:
        self.names, self.folder = names, folder
        self.open: dict[str, Any] = {}

    def start(self) -> None:
        """Start them all; whoever does so must call `finish`."""
        for name in self.names:
            try:
                self.open[name] = start_tracker(name, self.folder)
            except Exception:
                log.exception("The tracker %s can't be used: is it installed?", name)

    def log(self, rows: Iterable[Mapping[str, float]]) -> None:
        """Log rows of numbers, each with its step."""
        for row in rows if self.open else ():
            values = {name: value for name, value in row.items() if name != "step"}
            for name, tracker in list(self.open.items()):
                try:
                    tracker.log(values, step=int(row["step"]))
                except Exception:
                    log.exception("The tracker %s is left out from here on", name)
                    del self.open[name]

    def finish(self) -> None:
        """Let the trackers write what they have."""
        for name, tracker in self.open.items():
            try:
                tracker.finish()
            except Exception:
                log.exception("The tracker %s did not end well", name)
        self.open.clear()


def start_tracker(name: str, folder: JobFolder) -> Any:
    """Start a tracker; TensorBoard writes into the job's folder, W&B sends to its server.

    The name of the folder stands for the run: nothing that a member has written is sent.
    """
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS  # noqa: PLC0415 - where one is wanted

    tracker_class, run = LOGGER_TYPE_TO_CLASS[name], folder.path.name
    if name == "tensorboard":
        tracker = tracker_class(folder.tensorboard.name, folder.path)
    else:
        place, settings = str(folder.path), ONLY_NUMBERS
        named = {"id": run, "name": run, "resume": "allow", "dir": place, "settings": settings}
        tracker = tracker_class(PROJECT, **named)
    tracker.start()
    return tracker
