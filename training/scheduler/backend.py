"""Where workers run. `local` starts them on this machine; another place is another file."""

from __future__ import annotations

from typing import Protocol

from training.worker.process import Process


class Backend(Protocol):
    """A place that runs workers."""

    def start(self, name: str) -> Process:
        """Start the worker of that name and return at once."""

    def alive(self, process: Process) -> bool:
        """Return whether that very process still runs."""

    def stop(self, process: Process) -> None:
        """Kill the process, whatever it does; return when it is gone."""
