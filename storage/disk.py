"""How much of the disk is free, and whether that is enough for a new job."""

from __future__ import annotations

import shutil

from storage.errors import UserError
from storage.folders import Home
from storage.settings import StorageSettings

MIB = 1 << 20


def free(home: Home) -> int:
    """Return the free MiB of the disk that holds the data folder."""
    there = next(path for path in (home.path, *home.path.absolute().parents) if path.exists())
    return shutil.disk_usage(there).free // MIB


def roomy(settings: StorageSettings, more: int = 0) -> None:
    """Refuse when less is free than the operator wants kept, beside `more` MiB for the job."""
    left = free(Home(settings.home))
    if left < settings.disk + more:
        raise UserError("disk_low", free=left, needed=settings.disk + more)


def fair(settings: StorageSettings, used: int, more: int) -> None:
    """Refuse when a member's styles would take more than the operator allows, in bytes."""
    if settings.member and used + more > settings.member * MIB:
        facts = {"used": used // MIB, "more": more // MIB, "most": settings.member}
        raise UserError("quota_full", **facts)
