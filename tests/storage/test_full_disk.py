"""The data folder on a real disk that is full: nothing is half written, and starts wait."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import pytest
from safetensors import SafetensorError
from safetensors.numpy import save_file

from storage.disk import FullDiskNotice, is_disk_full, is_full_disk_error
from storage.errors import UserError
from storage.events import LogEntry, Note
from storage.folders import Home
from storage.homefolder import Program, hold_home
from storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage.records import CheckedPhoto, NewJob
    from tests.fakes.smalldisk import SmallDisk

ALICE = 1001


async def test_store(
    small_disk: SmallDisk, make_photo: Callable[..., CheckedPhoto], make_job: Callable[..., NewJob]
) -> None:
    """A full disk refuses photos and rows by name, keeps no half of them, and goes on later."""
    home = Home(small_disk.path / "home")
    async with await Store.open(home) as store:
        dog = await store.datasets.create(ALICE, 77, "dog", "look")
        photo = make_photo(pixels=b"x" * 50_000, preview=b"y" * 100_000)
        small_disk.fill(left=100_000)
        with pytest.raises(UserError, match="disk_full"):
            await store.photos.add(dog, photo)
        files = [path for path in home.path.glob("p*/*/*") if path.is_file()]
        small_disk.fill()
        note = LogEntry(Note("long", {"text": "x" * (8 << 20)}), 1.0)
        with pytest.raises(UserError, match="disk_full"):
            await store.events.append((await store.jobs.queue(make_job())).id, [note])
        small_disk.free()
        await store.photos.add(dog, photo)

        assert files == []
        assert len(await store.photos.list_for(dog.id, ALICE)) == 1


def test_start(small_disk: SmallDisk, caplog: pytest.LogCaptureFixture) -> None:
    """A process that starts on a full disk says so once and waits until there is room."""
    started = threading.Event()

    def start() -> None:
        with hold_home(Home(small_disk.path / "home"), Program.RUN):
            started.set()

    small_disk.fill()
    thread = threading.Thread(target=start)
    thread.start()
    early = started.wait(0.2)
    small_disk.free()
    thread.join(30)

    assert (early, started.is_set()) == (False, True)
    assert len([each for each in caplog.records if each.levelno >= logging.WARNING]) == 1


def test_errors(small_disk: SmallDisk) -> None:
    """Each library's error of a full disk is known as one."""
    import numpy as np  # noqa: PLC0415 - only here

    small_disk.fill()
    with pytest.raises(SafetensorError) as caught:
        save_file({"x": np.zeros(100_000)}, small_disk.path / "x.safetensors")

    assert is_disk_full(small_disk.path)
    assert is_full_disk_error(caught.value)
    assert not is_full_disk_error(SafetensorError("invalid header"))


def test_notice(small_disk: SmallDisk, caplog: pytest.LogCaptureFixture) -> None:
    """A full disk is logged once, however often nothing is to be written meanwhile."""
    caplog.set_level("INFO")
    notice = FullDiskNotice(small_disk.path, "things wait")
    small_disk.fill()
    for _ in range(3):
        with notice.waiting():
            (small_disk.path / "file").write_bytes(b"x")
        with notice.waiting():
            pass
    full = notice.full
    small_disk.free()
    with notice.waiting():
        pass

    assert (full, notice.full) == (True, False)
    assert len(caplog.messages) == 2
