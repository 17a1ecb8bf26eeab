"""The kinds of errors."""

from __future__ import annotations

from storage.errors import JobError, SafelightError, UserError


def test_facts() -> None:
    """An error carries its code and its facts; what it prints is for logs alone."""
    error = UserError("disk_low", free=3, needed=9)

    assert (error.code, error.facts) == ("disk_low", {"free": 3, "needed": 9})
    assert str(error) == "disk_low {'free': 3, 'needed': 9}"
    assert str(JobError("lease_lost")) == "lease_lost"


def test_apart() -> None:
    """What is told to a person and what ends a job are different things of one family."""
    assert issubclass(UserError, SafelightError)
    assert not issubclass(UserError, JobError)
