"""Another database in the same data folder: ids begin again, files do not change hands."""

from __future__ import annotations

import pytest

from storage.folders import Home
from storage.records import Status
from storage.store import Store
from storage.tables.diagnosis import diagnose
from tests.fakes.jobqueue import ALICE, BOB, QueueKit

pytestmark = pytest.mark.slow(3)


async def train(home: Home, owner: int, steps: int = 0) -> bytes:
    """Run a scheduler and train as a member; return their style's bytes."""
    async with await Store.open(home) as store:
        queue = QueueKit(store)
        async with queue.running_scheduler():
            if steps:
                job = await queue.add_training(owner, steps=steps)
                await queue.wait_for(job, Status.DONE)
        [style] = await store.styles.list_for(owner)
        assert (style.id, style.job) == (1, 1)
        return store.styles.file(style).read_bytes()


async def test_a_database_put_aside(tmp_path, caplog):
    """Job 1 of a new database begins from nothing; files of the old one return with it.

    The log and the doctor tell what lies in quarantine meanwhile.
    """
    home, aside = Home(tmp_path / "home"), tmp_path / "aside.db"
    old = await train(home, ALICE, 20)
    home.database_file.rename(aside)
    (home.workers / "notes.txt").touch()  # the operator's

    new = await train(home, BOB, 30)
    quarantined = {path.read_bytes() for path in home.quarantine.rglob("*.safetensors")}
    told = diagnose(home).quarantine
    aside.rename(home.database_file)
    again = await train(home, ALICE)

    assert new != old
    assert (told.jobs, told.styles, told.photos) == (1, 1, 2)
    assert any("belong to no row of the database" in line for line in caplog.messages)
    assert (quarantined, again) == ({old}, old)
    assert {path.read_bytes() for path in home.quarantine.rglob("*.safetensors")} == {new}
