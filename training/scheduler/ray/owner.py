"""Whether the owner of a machine uses it: then its worker puts its jobs down."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress

import psutil

LOOK_SECONDS = 3.0  #: between two looks at all processes


def list_programs() -> Iterable[str]:
    """Yield the names of the programs that run."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            yield process.name()


class OwnerWatch:
    """Looks whether a program runs for which jobs make room, such as a game."""

    def __init__(
        self,
        names: Collection[str],
        running: Callable[[], Iterable[str]] = list_programs,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`names` are those of programs, in any case; none is looked for if there are none."""
        self.names, self.running, self.clock = {name.lower() for name in names}, running, clock
        self.busy, self.looked_at = False, -LOOK_SECONDS

    def is_busy(self) -> bool:
        """Return whether one of the programs runs."""
        if self.names and self.clock() - self.looked_at >= LOOK_SECONDS:
            self.looked_at = self.clock()
            self.busy = any(name.lower() in self.names for name in self.running())
        return self.busy
