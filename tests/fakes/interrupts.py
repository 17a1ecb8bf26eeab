"""Trainings that are stopped on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from training.run.loop import train

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.folders import JobFolder
    from storage.records import Event
    from training.bases.registry import Bases


def reach(task: Iterator[Event], step: int) -> None:
    """Go on until the boundary before a step."""
    while (event := next(task)).kind != "step" or event.facts["step"] != step:
        pass


def both(whole: JobFolder, stopped: JobFolder, bases: Bases, step: int) -> list[Event]:
    """Train at a stretch in one folder, stopped before a step in the other; give its last part."""
    list(train(whole, bases))
    task = train(stopped, bases)
    reach(task, step)
    task.close()
    return list(train(stopped, bases))
