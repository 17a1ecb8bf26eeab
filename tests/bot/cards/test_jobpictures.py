"""The film strip of a training while it runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.actions.jobstate import JobState
from bot.cards.jobpictures import list_frames
from bot.wording import fill
from bot.wording import job as said
from storage.events import Started
from storage.records import Dial


@pytest.mark.parametrize(
    ("started", "changes", "steps"),
    [
        (None, {}, [0, 31, 62, 93, 122]),
        (None, {"dial": Dial.THOROUGH}, [0, 25, 50, 75, 100, 122]),
        (Started(0, 122, rounds=(50, 122)), {}, [0, 50, 122]),
        (None, {"continues": 7}, []),
        (Started(100, 130, rounds=(125, 130)), {"continues": 7}, [125, 130]),
    ],
)
async def test_places(kit, scheduler, started, changes, steps):
    """The strip has a place for each picture to come, and for none that is never drawn."""
    _, job = await scheduler.start_training()
    job = replace(job, request=job.request | changes)

    frames = list_frames(kit.store.home, job, JobState(started=started), 122)

    labels = [fill(said.FRAME, step=step) if step else said.FRAME_BEFORE for step in steps]
    assert [frame.label for frame in frames] == labels
