"""The errors."""

from __future__ import annotations

from storage.errors import JobError, SafelightError, UserError


def test_facts() -> None:
    """An error has a code and facts; its text, for logs, shows both."""
    error = UserError("disk_low", free=3, needed=9)

    assert (error.code, error.facts) == ("disk_low", {"free": 3, "needed": 9})
    assert str(error) == "disk_low {'free': 3, 'needed': 9}"
    assert str(JobError("lease_lost")) == "lease_lost"


def test_kinds() -> None:
    """UserError and JobError are siblings: catching one does not catch the other."""
    assert issubclass(UserError, SafelightError)
    assert not issubclass(UserError, JobError)
