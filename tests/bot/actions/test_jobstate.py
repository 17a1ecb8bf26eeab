"""What a card shows of a job's history."""

from __future__ import annotations

import pytest

from bot.actions.jobstate import JobState
from storage.events import CheckpointSaved, Event, LogEntry, Note, PreviewsDrawn, Progress


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
