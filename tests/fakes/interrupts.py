"""Trainings that are interrupted and resumed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.events import StepBoundary
from training.run.loop import train

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.events import Event
    from storage.folders import JobFolder
    from training.bases.cache import BaseCache


def run_until(task: Iterator[Event], step: int) -> None:
    """Advance a training to the boundary before a step."""
    while next(task) != StepBoundary(step):
        pass


def train_with_interruption(
    whole: JobFolder, stopped: JobFolder, bases: BaseCache, step: int
) -> list[Event]:
    """Train one folder in one go and one with a stop before a step; return its last events."""
    list(train(whole, bases))
    task = train(stopped, bases)
    run_until(task, step)
    task.close()
    return list(train(stopped, bases))
