"""Unused datasets: their members are written to, and can keep them."""

from __future__ import annotations

import pytest

from bot import wording
from bot.card import Card
from bot.cards.components import row
from bot.cards.retention import KeepDataset
from bot.jobfeed.retention import UnusedDatasets
from storage.tables.retention import DAY_SECONDS
from tests.fakes.discord import running
from tests.fakes.scheduler import FakeScheduler


@pytest.fixture
async def old(tmp_path):
    """Return a bot that deletes after 30 days, alice, and her dataset of 20 days ago."""
    async with running(tmp_path / "home", unused_days=30) as kit:
        alice = kit.add_member("alice")
        scheduler = FakeScheduler(kit)
        dataset = await scheduler.add_dataset(alice)
        for table in ("datasets", "photos"):
            sql = f"UPDATE {table} SET created = created - {20 * DAY_SECONDS}"
            await kit.store._database.execute(sql)
        yield kit, alice, dataset, scheduler


async def test_warning(old):
    """The owner gets a message with the day, and a press keeps the dataset."""
    kit, alice, dataset, scheduler = old

    await UnusedDatasets(kit.bot).look()
    await scheduler.let_bot_poll()
    room = await kit.bot.create_dm(
        kit.bot.get_user(alice.id) or await kit.bot.fetch_user(alice.id)
    )
    (warning,) = [message async for message in room.history()]
    said = kit.text(warning)
    due = await kit.store.retention.find(dataset.id)
    channel = kit.bot.get_channel(kit.channel.id)
    await channel.send(view=Card(row(KeepDataset(dataset.id))))
    await alice.click(kit.channel.last_message, label=wording.retention.KEEP)
    kept = kit.text(kit.channel.last_message)

    assert kit.says(kept, wording.retention.KEPT, name="my dog")
    assert kit.says(said, wording.retention.UNUSED, name="my dog", days="20 days")
    assert due is not None
    assert await kit.store.retention.find(dataset.id) is None


async def test_taken_back(kit, scheduler):
    """The owner of a dataset learns that a member took photos back."""
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    dataset = await scheduler.add_dataset(alice, photos=2)
    await kit.store.contributors.invite(dataset.id, alice.id, bob.id)
    await kit.store.contributors.join(dataset.id, bob.id)
    checked = await kit.bot.darkroom.check(kit.draw_photo(9))
    await kit.store.photos.add(dataset, checked, bob.id)

    await kit.store.withdrawals.withdraw(bob.id, delete_styles=False)
    await scheduler.let_bot_poll()

    room = await kit.bot.create_dm(await kit.bot.fetch_user(alice.id))
    (notice,) = [message async for message in room.history()]
    assert kit.says(notice, wording.retention.TAKEN_BACK, name="my dog", photos="2 photos")
