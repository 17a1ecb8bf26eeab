"""How tests run: a sentence lacks no fact, and a test file is the work of one core."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path
from shutil import disk_usage
from typing import TYPE_CHECKING

import pytest
from psutil import virtual_memory

from bot.wording.template import Facts
from tests.fakes.smalldisk import SmallDisk, mounting_small_disk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xdist.scheduler import LoadScopeScheduling

#: folders whose files share an expensive fixture, so that they are one piece of work
SHARED = ("tests/contracts",)
RAM_DISK = Path("/dev/shm")  # noqa: S108 - pytest makes folders of its own in it
MIN_FREE_BYTES = 6 << 30


def pytest_configure() -> None:
    """Raise if a sentence lacks a fact, instead of leaving a gap; heed Ctrl+C as on a terminal.

    A script that runs the tests with `&` has SIGINT ignored, in their child processes, too.
    Temporary files lie in memory where there is room: the disk is slower than the tests.
    """
    Facts.strict = True
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or each child process compiles all of ours
    sys.dont_write_bytecode = False
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # torch's; pytest -n 2 has a process for a core
    free = min(disk_usage(RAM_DISK).free, virtual_memory().available) if RAM_DISK.is_dir() else 0
    if "TMPDIR" not in os.environ and free > MIN_FREE_BYTES:
        os.environ["TMPDIR"] = tempfile.tempdir = str(RAM_DISK)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Mount a disk of 64 MiB, which takes memory only where it is filled."""
    with mounting_small_disk(tmp_path / "disk", 64) as disk:
        yield disk


@pytest.fixture
def disk_calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """List what this process asks of the disk: "fsync <name>" and "replace <name>", in order.

    What a power cut takes is decided by the order of these.
    """
    told: list[str] = []
    fsync, replace = os.fsync, os.replace

    def sync(number: int) -> None:
        told.append(f"fsync {Path(f'/proc/self/fd/{number}').resolve().name}")
        fsync(number)

    def rename(before: str | Path, after: str | Path) -> None:
        told.append(f"replace {Path(after).name}")
        replace(before, after)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", rename)
    return told


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the pieces by what their tests take together, as marked with `slow(seconds)`."""
    seconds: dict[str, float] = {}
    for item in items:
        piece, mark = piece_of(item.nodeid), item.get_closest_marker("slow")
        seconds[piece] = seconds.get(piece, 0) + (mark.args[0] if mark else 0)
    items.sort(key=lambda item: -seconds[piece_of(item.nodeid)])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """Send a piece to one core. pytest-xdist 3.8 ignores its own groups with pytest 9.2."""
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - without -n it is not needed

    class PieceScheduling(LoadScopeScheduling):
        """Splits the tests into pieces."""

        def _split_scope(self, nodeid: str) -> str:
            return piece_of(nodeid)

    return PieceScheduling(config, log)


def piece_of(nodeid: str) -> str:
    """Return the piece of work that a test belongs to: its file, or a shared folder."""
    file = nodeid.partition("::")[0]
    return next((folder for folder in SHARED if file.startswith(folder + "/")), file)
