"""A training that ran when a backup was taken goes on in the folder that was restored."""

from __future__ import annotations

import asyncio

import pytest

from storage.backup.restore import restore
from storage.backup.write import back_up
from storage.events import Progress
from storage.folders import Home
from storage.records import Status
from storage.store import Store
from tests.fakes.jobqueue import ALICE, QueueKit

pytestmark = pytest.mark.slow(3)


async def test_a_restored_training_goes_on(queue, tmp_path):
    """It is queued again without counting an attempt, and ends with its style."""
    queue.hold.touch()
    async with queue.running_scheduler():
        job = await queue.add_training()
        await queue.wait_for_event(job, Progress)
        await asyncio.to_thread(back_up, queue.home, tmp_path / "backups")
        queue.hold.unlink()
        await queue.wait_for(job, Status.DONE)
    home = Home(tmp_path / "restored")
    await asyncio.to_thread(restore, tmp_path / "backups", home)

    async with await Store.open(home) as store:
        again = QueueKit(store)
        try:
            async with again.running_scheduler():
                done = await again.wait_for(job, Status.DONE)
        finally:
            again.stop_workers()
        [style] = await store.styles.list_for(ALICE)

    assert await queue.list_statuses(job) == ["queued", "running", "done"]
    assert done.attempts == 1
    assert store.styles.file(style).read_bytes() == again.read_result(job)
