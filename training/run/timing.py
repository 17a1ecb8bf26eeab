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
        self.served_seconds = 0.0
        self.first_step_seconds = 0.0  #: seconds until the first step was taken
        self.steps = 0
        self.parts: dict[str, tuple[float, int]] = {}  #: seconds and times, by kind
        self.step_seconds = self.warmup_seconds = self.entered = self.reported_at = 0.0

    def total_seconds(self) -> float:
        """Count the seconds so far."""
        return time.perf_counter() - self.began - self.served_seconds

    @contextmanager
    def timing_step(self) -> Iterator[None]:
        """Count a step and its time."""
        entered = time.perf_counter()
        yield
        passed = time.perf_counter() - entered
        self.steps += 1
        self.step_seconds += passed
        if self.steps == 1:
            self.first_step_seconds, self.warmup_seconds = self.total_seconds(), passed
            self.reported_at = self.first_step_seconds

    def steps_per_second(self) -> float:
        """Give steps a second; the first, which warms up, apart where there are more."""
        if not self.steps:
            return 0.0
        if self.steps > 1:
            return (self.steps - 1) / max(self.step_seconds - self.warmup_seconds, 1e-6)
        return 1 / max(self.warmup_seconds, 1e-6)

    @contextmanager
    def timing(self, name: str, times: int) -> Iterator[None]:
        """Count so many things of a kind and the seconds they took together."""
        entered = time.perf_counter()
        yield
        seconds, known = self.parts.get(name, (0.0, 0))
        self.parts[name] = seconds + time.perf_counter() - entered, known + times

    def mean_seconds(self, name: str) -> float:
        """Give the seconds that one thing of a kind took."""
        seconds, times = self.parts.get(name, (0.0, 0))
        return seconds / max(times, 1)

    def timings(self) -> Timings:
        """Return what the run has taken."""
        return Timings(
            self.total_seconds(),
            self.steps_per_second(),
            self.first_step_seconds,
            self.mean_seconds("photo"),
            self.mean_seconds("picture"),
        )

    def is_report_due(self) -> bool:
        """Tell, at most twice a second, that progress is worth telling."""
        now = self.total_seconds()
        if now - self.reported_at < REPORT_SECONDS:
            return False
        self.reported_at = now
        return True
