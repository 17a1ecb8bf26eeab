"""Timing of a run, without the jobs that were served in between."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from storage.events import Timings

REPORT_SECONDS = 0.5  #: between two events of progress


class RunTimer:
    """Measures a run, without the jobs that were served in between.

    Its clock is monotonic: neither a suspended machine nor a changed clock adds to it.
    """

    def __init__(self, earlier_seconds: float = 0.0) -> None:
        self.earlier_seconds = (
            earlier_seconds  #: until the checkpoint, and to load what the run needs
        )
        self.began = time.perf_counter()
        self.served_seconds = 0.0
        self.first_step_seconds = 0.0  #: seconds until the first step was taken
        self.steps = 0
        self.parts: dict[str, tuple[float, int]] = {}  #: seconds and times, by kind
        self.step_seconds = self.warmup_seconds = self.entered = self.reported_at = 0.0

    def total_seconds(self) -> float:
        """Return the seconds of this attempt so far."""
        return time.perf_counter() - self.began - self.served_seconds

    @contextmanager
    def timing_step(self) -> Iterator[None]:
        """Time a step in the block."""
        entered = time.perf_counter()
        yield
        passed = time.perf_counter() - entered
        self.steps += 1
        self.step_seconds += passed
        if self.steps == 1:
            self.first_step_seconds, self.warmup_seconds = self.total_seconds(), passed
            self.reported_at = self.first_step_seconds

    @contextmanager
    def timing_wait(self) -> Iterator[None]:
        """Time a wait in the block for steps that a GPU has not finished."""
        entered = time.perf_counter()
        yield
        self.step_seconds += time.perf_counter() - entered

    def steps_per_second(self) -> float:
        """Return the steps per second, without the first, which warms up, if there are more."""
        if not self.steps:
            return 0.0
        if self.steps > 1:
            return (self.steps - 1) / max(self.step_seconds - self.warmup_seconds, 1e-6)
        return 1 / max(self.warmup_seconds, 1e-6)

    @contextmanager
    def timing(self, name: str, times: int) -> Iterator[None]:
        """Time so many things of one kind in the block, together."""
        entered = time.perf_counter()
        yield
        seconds, known = self.parts.get(name, (0.0, 0))
        self.parts[name] = seconds + time.perf_counter() - entered, known + times

    def mean_seconds(self, name: str) -> float:
        """Return the mean seconds that one thing of a kind took, 0 if there was none."""
        seconds, times = self.parts.get(name, (0.0, 0))
        return seconds / max(times, 1)

    def timings(self) -> Timings:
        """Return what the end of the run reports."""
        return Timings(
            self.earlier_seconds + self.total_seconds(),
            self.steps_per_second(),
            self.first_step_seconds,
            self.mean_seconds("photo"),
            self.mean_seconds("picture"),
        )

    def is_report_due(self) -> bool:
        """Return whether to report progress now, which is at most twice a second."""
        now = self.total_seconds()
        if now - self.reported_at < REPORT_SECONDS:
            return False
        self.reported_at = now
        return True
