"""Where workers run: one file a place. `local` starts them on this machine."""

from __future__ import annotations

from typing import Any, Protocol

#: What names a started worker: JSON, so that it outlives the trainer.
Handle = dict[str, Any]


class Backend(Protocol):
    """A place that runs workers."""

    def start(self, name: str) -> Handle:
        """Start the worker of that name and return at once."""
        ...

    def alive(self, handle: Handle) -> bool:
        """Return whether that very worker still runs."""
        ...

    def stop(self, handle: Handle) -> None:
        """End the worker now, whatever it does; return when it is gone."""
        ...
