"""A count in a file: who reads it sees by its changes that its writer lives, without any clock."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

COUNT_BYTES = 20  #: decimal digits, padded: each count overwrites the whole of the last one


def count_up(path: Path) -> None:
    """Add one to the count in a file, which is made if it is missing.

    It is overwritten in place, so a full disk takes it, too. An `OSError` leaves it as it was.
    """
    number = (read_count(path) or 0) + 1
    with suppress(OSError):
        file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.write(file, f"{number:0{COUNT_BYTES}}".encode())
        finally:
            os.close(file)


def read_count(path: Path) -> int | None:
    """Return the count in a file; None if it is missing or holds none."""
    try:
        return int(path.read_bytes())
    except (OSError, ValueError):
        return None
