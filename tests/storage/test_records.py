"""The records."""

from __future__ import annotations

import pytest

from storage.records import Status


@pytest.mark.parametrize(
    ("status", "ended"),
    [
        (Status.QUEUED, False),
        (Status.RUNNING, False),
        (Status.PAUSED, False),
        (Status.DONE, True),
        (Status.FAILED, True),
        (Status.CANCELLED, True),
    ],
)
def test_ended(status: Status, *, ended: bool) -> None:
    """A queued, running or paused job has not ended."""
    assert status.ended is ended
