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


def roomy(settings: StorageSettings) -> None:
    """Refuse when less is free than the operator wants kept free."""
    left = free(Home(settings.home))
    if left < settings.disk:
        raise UserError("disk_low", free=left, needed=settings.disk)
