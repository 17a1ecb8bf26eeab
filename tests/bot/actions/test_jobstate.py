"""What a card shows of a job's history."""

from __future__ import annotations

import pytest

from bot.actions.jobstate import JobState
from storage.events import (
    CheckpointSaved,
    Event,
    LogEntry,
    Note,
    Paused,
    PreviewsDrawn,
    Progress,
    Started,
)


@pytest.mark.parametrize(
    ("code", "event", "stays"),
    [
        ("disk_full", Progress(5, 9), True),
        ("disk_full", PreviewsDrawn(5), False),
        ("disk_full", CheckpointSaved(5), False),
        ("checkpoint_lost", PreviewsDrawn(5), True),
        ("checkpoint_lost", CheckpointSaved(5), False),
        ("memory", CheckpointSaved(5), True),
    ],
)
def test_notes(code: str, event: Event, stays: bool) -> None:
    """A note about a full disk goes once something was saved again."""
    state = JobState.from_events(LogEntry(each, 1.0) for each in (Note(code), event))

    assert (state.note is not None) is stays


@pytest.mark.parametrize("end", [[], [Paused(60)]])
def test_a_resumed_job(end: list[Event]) -> None:
    """A job that was killed or paused goes on from its checkpoint, not from where it had been."""
    events = [Started(0, 99), CheckpointSaved(50), Progress(60, 99, eta_seconds=9.0), *end]
    state = JobState.from_events(LogEntry(each, 1.0) for each in events)
    assert (state.step, state.saved_step) == (60, 50)

    state.apply(LogEntry(Started(50, 99, resumed=True), 500.0))

    assert (state.step, state.progress) == (50, None)
