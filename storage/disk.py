"""Checks of disk space and of members' quotas before a job is accepted."""

from __future__ import annotations

import errno
import shutil

from storage.errors import UserError
from storage.folders import Home
from storage.settings import StorageSettings

MIB = 1 << 20
DISK_FULL_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  #: disk, quota or file limit


def free_mib(home: Home) -> int:
    """Return the free MiB of the disk that holds the data folder."""
    # at the first start the folder is not there yet; a parent is on the same disk
    there = next(path for path in (home.path, *home.path.absolute().parents) if path.exists())
    return shutil.disk_usage(there).free // MIB


def check_disk_space(settings: StorageSettings, job_mib: int = 0) -> None:
    """Raise UserError("disk_low") if the job would leave less free than the operator wants."""
    left = free_mib(Home(settings.home))
    if left < settings.min_free_mib + job_mib:
        raise UserError("disk_low", free=left, needed=settings.min_free_mib + job_mib)


def check_member_quota(settings: StorageSettings, used_bytes: int, new_bytes: int) -> None:
    """Raise UserError("quota_full") if a new style would exceed the member's quota."""
    if settings.member_quota_mib and used_bytes + new_bytes > settings.member_quota_mib * MIB:
        facts = {
            "used": used_bytes // MIB,
            "more": new_bytes // MIB,
            "most": settings.member_quota_mib,
        }
        raise UserError("quota_full", **facts)


def is_full_disk_error(error: Exception) -> bool:
    """Return whether an error says that the disk, or a quota on it, is full."""
    if isinstance(error, UserError):
        return error.code == "disk_full"
    return isinstance(error, OSError) and error.errno in DISK_FULL_ERRORS
