"""Checks of disk space and of members' quotas before a job is accepted."""

from __future__ import annotations

import errno
import logging
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from storage.errors import UserError
from storage.folders import Home
from storage.settings import StorageSettings

T = TypeVar("T")
log = logging.getLogger(__name__)

MIB = 1 << 20
FULL_BYTES = MIB  #: a disk with less free is full
RETRY_SECONDS = 1.0  #: between two tries to write to a full disk
NO_ROOM_ERRORS = {errno.ENOSPC, errno.EDQUOT}  #: of a disk or a quota; they may pass
DISK_FULL_ERRORS = NO_ROOM_ERRORS | {errno.EFBIG}  #: the same, or a file's limit


def free_mib(home: Home) -> int:
    """Return the free MiB of the disk that holds the data folder."""
    return shutil.disk_usage(find_existing(home)).free // MIB


def find_existing(home: Home) -> Path:
    """Return the data folder, or before the first start a folder on the same disk."""
    return next(path for path in (home.path, *home.path.absolute().parents) if path.exists())


def is_disk_full(folder: Path) -> bool:
    """Return whether the disk of a folder is full."""
    try:
        return shutil.disk_usage(folder).free < FULL_BYTES
    except OSError:
        return False


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
    if type(error).__name__ == "SafetensorError":  # it has no number but in its text
        return any(f"(os error {number})" in str(error) for number in NO_ROOM_ERRORS)
    return isinstance(error, OSError) and error.errno in NO_ROOM_ERRORS


@contextmanager
def explaining_full_disk() -> Iterator[None]:
    """Turn any error of a full disk into UserError("disk_full")."""
    try:
        yield
    except OSError as error:
        if is_full_disk_error(error):
            raise UserError("disk_full") from error
        raise


class FullDiskNotice:
    """Leaves undone what a full disk has no room for; its beginning and end are logged once."""

    def __init__(self, folder: Path, consequence: str) -> None:
        self.folder = folder  #: on that disk
        self.consequence = consequence  #: what waits, for the log
        self.full = False  #: since a try found it full

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Leave the block undone where the disk is full; the caller tries it again."""
        try:
            yield
        except Exception as error:
            if not is_full_disk_error(error):
                raise
            if not self.full:
                log.warning("The disk is full, so %s", self.consequence)
            self.full = True
        else:
            if self.full and not is_disk_full(self.folder):  # it may have had nothing to write
                log.info("There is room on the disk again")
                self.full = False


def retry_until_room(folder: Path, write: Callable[[], T]) -> T:
    """Return what `write` returns, tried again while the folder's disk is full. It blocks."""
    notice = FullDiskNotice(folder, "this process waits for room before it starts")
    while True:
        with notice.waiting():
            return write()
        time.sleep(RETRY_SECONDS)
