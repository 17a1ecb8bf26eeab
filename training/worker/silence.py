"""How long another process has shown no sign of life, counted while this one listened."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from training.worker.counter import read_count

#: Longer gaps between two looks count as this much: whoever did not listen itself (suspended,
#: frozen with the other, swapped out) must not call the other silent.
MAX_GAP_SECONDS = 5.0


class SilenceMeter:
    """Counts the seconds since the last sign of life."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock, self.looked_at, self.seconds = clock, clock(), 0.0
        self.was_away = False  #: whether nobody listened for a while before the last look

    def look(self, *, alive: bool) -> float:
        """Take a look; return the seconds of silence, 0 at a sign of life."""
        now = self.clock()
        gap, self.looked_at = now - self.looked_at, now
        self.was_away = gap > MAX_GAP_SECONDS
        self.seconds = 0.0 if alive else self.seconds + min(gap, MAX_GAP_SECONDS)
        return self.seconds


class HeartbeatListener:
    """Listens for changes of the count in a heartbeat file; the file's time does not matter."""

    def __init__(self, file: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.file, self.meter = file, SilenceMeter(clock)
        self.count: int | None = None

    def look(self) -> float:
        """Take a look; return for how many seconds the count has not changed."""
        count = read_count(self.file)
        changed = count is not None and count != self.count
        if changed:
            self.count = count
        return self.meter.look(alive=changed)
