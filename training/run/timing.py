"""The time a run takes, without what was served in between."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from storage.events import Timings

REPORT_SECONDS = 0.5  # seconds between two events of progress


class RunTimer:
    """The time a run takes, without what was served in between."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.away = 0.0
        self.first = 0.0  #: seconds until the first step was taken
        self.taken = 0
        self.parts: dict[str, tuple[float, int]] = {}  #: seconds and times, by kind
        self.stepping = self.opening = self.entered = self.told = 0.0

    def total(self) -> float:
        """Count the seconds so far."""
        return time.perf_counter() - self.began - self.away

    @contextmanager
    def step(self) -> Iterator[None]:
        """Count a step and its time."""
        entered = time.perf_counter()
        yield
        passed = time.perf_counter() - entered
        self.taken += 1
        self.stepping += passed
        if self.taken == 1:
            self.first, self.opening = self.total(), passed
            self.told = self.first

    def speed(self) -> float:
        """Give steps a second; the first, which warms up, apart where there are more."""
        if not self.taken:
            return 0.0
        if self.taken > 1:
            return (self.taken - 1) / max(self.stepping - self.opening, 1e-6)
        return 1 / max(self.opening, 1e-6)

    @contextmanager
    def part(self, name: str, times: int) -> Iterator[None]:
        """Count so many things of a kind and the seconds they took together."""
        entered = time.perf_counter()
        yield
        seconds, known = self.parts.get(name, (0.0, 0))
        self.parts[name] = seconds + time.perf_counter() - entered, known + times

    def each(self, name: str) -> float:
        """Give the seconds that one thing of a kind took."""
        seconds, times = self.parts.get(name, (0.0, 0))
        return seconds / max(times, 1)

    def timings(self) -> Timings:
        """Return what the run has taken."""
        return Timings(
            self.total(), self.speed(), self.first, self.each("photo"), self.each("picture")
        )

    def due(self) -> bool:
        """Tell, at most twice a second, that progress is worth telling."""
        now = self.total()
        if now - self.told < REPORT_SECONDS:
            return False
        self.told = now
        return True
