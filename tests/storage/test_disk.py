"""Checks of disk space and quotas."""

from __future__ import annotations

import errno

import pytest

from storage.disk import check_disk_space, check_member_quota, free_mib, is_full_disk_error
from storage.errors import UserError
from storage.folders import Home
from storage.settings import StorageSettings


def test_free_space(home: Home) -> None:
    """A job is refused if less is free than the operator wants, also before the folder exists."""
    left = free_mib(home)
    check_disk_space(StorageSettings(SAFELIGHT_HOME=home.path, SAFELIGHT_DISK_MB=0))

    with pytest.raises(UserError) as caught:
        check_disk_space(StorageSettings(SAFELIGHT_HOME=home.path, SAFELIGHT_DISK_MB=left * 2))

    assert caught.value.code == "disk_low"
    assert caught.value.facts["needed"] == left * 2


def test_a_large_job_needs_more(home: Home) -> None:
    """What the job itself will write counts, too."""
    left = free_mib(home)
    settings = StorageSettings(SAFELIGHT_HOME=home.path, SAFELIGHT_DISK_MB=0)

    with pytest.raises(UserError, match="disk_low"):
        check_disk_space(settings, left * 2)


@pytest.mark.parametrize("most", [0, 3])
def test_quota(home: Home, most: int) -> None:
    """A member's styles with the new one may reach the quota; 0 is unlimited."""
    check_member_quota(
        StorageSettings(SAFELIGHT_HOME=home.path, SAFELIGHT_MEMBER_MB=most), 1 << 20, 2 << 20
    )


def test_quota_full(home: Home) -> None:
    """A style that exceeds the quota is refused, with the MiB used, needed and allowed."""
    settings = StorageSettings(SAFELIGHT_HOME=home.path, SAFELIGHT_MEMBER_MB=2)

    with pytest.raises(UserError) as caught:
        check_member_quota(settings, 1 << 20, 2 << 20)

    assert caught.value.code == "quota_full"
    assert caught.value.facts == {"used": 1, "more": 2, "most": 2}


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, ""), True), (OSError(errno.EDQUOT, ""), True),
        (UserError("disk_full"), True), (OSError(errno.EIO, ""), False),
        (UserError("job_unknown"), False), (ValueError(), False),
    ],
)  # fmt: skip
def test_full_disk_error(error: Exception, full: bool) -> None:
    """A full disk and a used-up quota are states to wait in; nothing else is."""
    assert is_full_disk_error(error) is full
