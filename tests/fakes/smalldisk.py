"""A real disk of some MiB that a test can fill: a file system in memory, mounted for it."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIB = 1 << 20


class SmallDisk:
    """A disk that can be filled and freed."""

    def __init__(self, path: Path) -> None:
        self.path, self._filler = path, path / "filler"

    def fill(self, left: int = 0) -> None:
        """Fill the disk but for so many bytes."""
        self.free()
        size = shutil.disk_usage(self.path).free - left
        with self._filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)

    def free(self) -> None:
        """Remove what fills the disk."""
        self._filler.unlink(missing_ok=True)


@contextmanager
def mounting_small_disk(folder: Path, mib: int) -> Iterator[SmallDisk]:
    """Mount a disk of so many MiB inside the block; skip the test where that is not allowed."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as refused:
        pytest.skip(f"a small disk cannot be mounted here, which needs root on Linux: {refused}")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
