"""Timing of a run, without the jobs that were served in between."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from storage.eventlines import read_line
from storage.events import Progress, Timings

REPORT_SECONDS = 0.5  #: between two events of progress


class RunTimer:
    """Measures a run, without the jobs that were served in between.

    Its clock is monotonic: neither a suspended machine nor a changed clock adds to it. One timer
    measures all attempts of a process, and goes on from what earlier processes have reported.
    """

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.earlier_seconds = 0.0  #: of earlier processes
        self.earlier_speed = 0.0  #: steps per second of earlier processes
        self.served_seconds = 0.0
        self.parts: dict[str, tuple[float, float]] = {}  #: seconds and times, by kind
        self.begin_attempt()

    def go_on_from(self, progress: Progress | None, saved_seconds: float) -> None:
        """Add the time of earlier processes, of which a killed one last reported this progress.

        `saved_seconds` is what the checkpoint knows, where the report is lost.
        """
        self.earlier_seconds = saved_seconds
        if progress is not None:
            self.earlier_seconds = max(saved_seconds, progress.seconds)
            self.earlier_speed = progress.steps_per_second
            if progress.picture_seconds:
                self.parts["picture"] = progress.picture_seconds, 1
        self.begin_attempt()

    def begin_attempt(self) -> None:
        """Measure steps anew: with a memory fallback they take another time."""
        self.attempt_began = self.total_seconds()
        self.first_step_seconds = 0.0  #: seconds of the attempt until its first step was taken
        self.steps = self.warmups = 0
        self.kinds: set[object] = set()  #: of steps that were taken
        self.warms_up = True  #: whether the step under way prepares those that follow
        self.step_seconds = self.warmup_seconds = self.reported_at = 0.0

    def total_seconds(self) -> float:
        """Return the seconds of the run so far, in all attempts."""
        passed = time.perf_counter() - self.began
        return self.earlier_seconds + passed - self.served_seconds

    @contextmanager
    def timing_step(self) -> Iterator[None]:
        """Time a step in the block."""
        entered = time.perf_counter()
        yield
        passed = time.perf_counter() - entered
        self.steps += 1
        self.step_seconds += passed
        if self.steps == 1:
            self.reported_at = self.total_seconds()
            self.first_step_seconds = self.reported_at - self.attempt_began
        if self.warms_up:
            self.warmups += 1
            self.warmup_seconds += passed
        self.warms_up = False

    def note_kind(self, kind: object) -> None:
        """Note of which kind the step under way is: the first of each kind warms up."""
        self.warms_up |= kind not in self.kinds
        self.kinds.add(kind)

    @contextmanager
    def timing_wait(self) -> Iterator[None]:
        """Time a wait in the block for steps that a GPU has not finished."""
        entered = time.perf_counter()
        yield
        self.step_seconds += time.perf_counter() - entered

    def steps_per_second(self) -> float:
        """Return the steps per second, without those that warm up, if others are known."""
        if self.steps > self.warmups:
            return (self.steps - self.warmups) / max(self.step_seconds - self.warmup_seconds, 1e-6)
        if self.earlier_speed or not self.steps:
            return self.earlier_speed
        return self.warmups / max(self.warmup_seconds, 1e-6)

    @contextmanager
    def timing(self, name: str, times: float) -> Iterator[None]:
        """Time so many things of one kind in the block, together."""
        entered = time.perf_counter()
        yield
        seconds, known = self.parts.get(name, (0.0, 0.0))
        self.parts[name] = seconds + time.perf_counter() - entered, known + times

    def mean_seconds(self, name: str) -> float:
        """Return the mean seconds that one thing of a kind took, 0 if there was none."""
        seconds, times = self.parts.get(name, (0.0, 0))
        return seconds / max(times, 1)

    def timings(self) -> Timings:
        """Return what the end of the run reports."""
        return Timings(
            self.total_seconds(),
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


def read_last_progress(events_file: Path) -> Progress | None:
    """Return the last progress that a job's log of events tells of; None if there is none."""
    with suppress(FileNotFoundError):
        for line in reversed(events_file.read_bytes().splitlines()):
            if b'"progress"' not in line:
                continue
            with suppress(ValueError, KeyError, TypeError):
                event = read_line(json.loads(line)).event
                if isinstance(event, Progress):
                    return event
    return None
