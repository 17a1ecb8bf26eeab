"""Files whose rows are gone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from storage.folders import Home
from storage.records import NewJob
from storage.store import Store


async def test_start(home: Home, asked: Callable[..., NewJob]) -> None:
    """What a crash between the commit and the disk left is removed at the next start."""
    async with await Store.open(home) as store:
        job = await store.jobs.queue(asked())
        home.job_folder(job.id).photos.mkdir(parents=True)
        await store._database.execute("DELETE FROM jobs")

    async with await Store.open(home) as store:
        left = await store._database.execute("SELECT * FROM trash")

    assert left == []
    assert not home.job_folder(job.id).path.exists()


async def test_copies(home: Home, asked: Callable[..., NewJob]) -> None:
    """Of a job that was cancelled while it waited, the copies of its photos go at once."""
    async with await Store.open(home) as store:
        job = await store.jobs.queue(asked())
        home.job_folder(job.id).photos.mkdir(parents=True)
        home.job_folder(job.id).log_file.write_text("kept")
        await store._database.execute("UPDATE jobs SET status = 'cancelled'")
        await store._trash.sweep()

    assert [path.name for path in home.job_folder(job.id).path.iterdir()] == ["log.txt"]


async def test_resists(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be removed stops nobody, is logged, and is tried again."""
    path = home.photo_file("ab")
    async with await Store.open(home) as store:
        path.parent.write_bytes(b"a file where a folder should be")
        await store._database.execute("INSERT INTO trash VALUES ('photo', 'ab'), ('run', '7')")

        await store._trash.sweep()
        left = await store._database.execute("SELECT kind FROM trash")
        path.parent.unlink()
        await store._trash.sweep()

        assert [row["kind"] for row in left] == ["photo"]
        assert await store._database.execute("SELECT kind FROM trash") == []
        assert "photo ab" in caplog.text
