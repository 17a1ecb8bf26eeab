"""How much of the disk is free, and whether that is enough for a new job."""

from __future__ import annotations

import shutil

from storage.errors import UserError
from storage.folders import Home
from storage.settings import StorageSettings

MIB = 1 << 20


def free_mib(home: Home) -> int:
    """Return the free MiB of the disk that holds the data folder."""
    there = next(path for path in (home.path, *home.path.absolute().parents) if path.exists())
    return shutil.disk_usage(there).free // MIB


def check_disk_space(settings: StorageSettings, job_mib: int = 0) -> None:
    """Refuse when less is free than the operator wants kept, beside `more` MiB for the job."""
    left = free_mib(Home(settings.home))
    if left < settings.min_free_mib + job_mib:
        raise UserError("disk_low", free=left, needed=settings.min_free_mib + job_mib)


def check_member_quota(settings: StorageSettings, used_bytes: int, new_bytes: int) -> None:
    """Refuse when a member's styles would take more than the operator allows, in bytes."""
    if settings.member_quota_mib and used_bytes + new_bytes > settings.member_quota_mib * MIB:
        facts = {
            "used": used_bytes // MIB,
            "more": new_bytes // MIB,
            "most": settings.member_quota_mib,
        }
        raise UserError("quota_full", **facts)
