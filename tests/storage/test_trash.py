"""Files whose rows are gone."""

from __future__ import annotations

from collections.abc import Callable

from storage.folders import Home
from storage.records import NewJob
from storage.store import Store


async def test_start(home: Home, asked: Callable[..., NewJob]) -> None:
    """What a crash between the commit and the disk left is removed at the next start."""
    async with await Store.open(home) as store:
        job = await store.jobs.queue(asked())
        home.run(job.id).photos.mkdir(parents=True)
        await store._database.all("DELETE FROM jobs")

    async with await Store.open(home) as store:
        left = await store._database.all("SELECT * FROM trash")

    assert left == []
    assert not home.run(job.id).path.exists()


async def test_copies(home: Home, asked: Callable[..., NewJob]) -> None:
    """Of a job that was cancelled while it waited, the copies of its photos go at once."""
    async with await Store.open(home) as store:
        job = await store.jobs.queue(asked())
        home.run(job.id).photos.mkdir(parents=True)
        home.run(job.id).log.write_text("kept")
        await store._database.all("UPDATE jobs SET status = 'cancelled'")
        await store._trash.sweep()

    assert [path.name for path in home.run(job.id).path.iterdir()] == ["log.txt"]
