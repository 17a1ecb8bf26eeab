"""Where workers run. `local` starts them on this machine; another place is another file."""

from __future__ import annotations

from typing import Protocol

from storage.process import Process
from training.worker.process import Activity


class Backend(Protocol):
    """A place that runs workers."""

    def start(self, name: str) -> Process:
        """Start the worker of that name and return at once."""

    def alive(self, process: Process) -> bool:
        """Return whether that very process still runs."""

    def died_by_itself(self, process: Process) -> bool:
        """Return whether a dead process is known to have died of what it did.

        A lack of memory is, too. False where somebody else ended it, or nobody knows.
        """

    def activity(self, process: Process) -> Activity | None:
        """Return what the process has done so far, None if that cannot be told."""

    def reachable(self) -> bool:
        """Return whether the place answers now; otherwise its worker takes no job."""

    def stop(self, process: Process) -> None:
        """Kill the process, whatever it does; return when it is gone."""
