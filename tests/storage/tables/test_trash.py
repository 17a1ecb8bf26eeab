"""Files of deleted rows."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from storage.folders import Home
from storage.records import NewJob
from storage.store import Store


async def test_start(home: Home, make_job: Callable[..., NewJob]) -> None:
    """Files that a crash after the commit left are removed at the next start."""
    async with await Store.open(home) as store:
        job = await store.jobs.queue(make_job())
        home.job_folder(job.folder).photos.mkdir(parents=True)
        await store._database.execute("DELETE FROM jobs")

    async with await Store.open(home) as store:
        left = await store._database.execute("SELECT * FROM trash")

    assert left == []
    assert not home.job_folder(job.folder).path.exists()


async def test_copies(home: Home, make_job: Callable[..., NewJob]) -> None:
    """A waiting job that is cancelled loses its copies of photos at once."""
    async with await Store.open(home) as store:
        job = await store.jobs.queue(make_job())
        home.job_folder(job.folder).photos.mkdir(parents=True)
        home.job_folder(job.folder).log_file.write_text("kept")
        await store._database.execute("UPDATE jobs SET status = 'cancelled'")
        await store._trash.sweep()

    assert [path.name for path in home.job_folder(job.folder).path.iterdir()] == ["log.txt"]


async def test_resists(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    """A file that cannot be removed is logged and tried again later."""
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
