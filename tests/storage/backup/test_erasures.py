"""A member who left is gone from every backup at the next run."""

from __future__ import annotations

import re
import sqlite3

import pytest

from storage.backup.erasures import LIST_MEMBERS
from storage.backup.folder import BackupFolder
from storage.backup.manifest import DATABASE
from storage.errors import JobError
from tests.storage.backup.conftest import ALICE, BOB, GUILD, add_style

ALICES = (b"caption 1 of 1001", b"pixels of 2", b"weights of alice", b"alice's words", b"1001")


async def test_no_byte_of_an_erased_member_is_left(filled):
    """Photos, captions, styles and checkpoints of a member are in no file of the backups."""
    before = (await filled.back_up()).manifest
    assert all(filled.search(words) for words in ALICES)
    await filled.store.members.erase(ALICE, keep_styles=False)

    report = await filled.back_up()

    assert [path for words in ALICES for path in filled.search(words)] == []
    assert report.forgotten == 1
    assert filled.search(b"pixels of 1")  # it is Bob's, too
    assert filled.search(b"caption 3 of 1002")
    older = BackupFolder(filled.folder).list_manifests()[0]
    assert older.created == before.created
    assert older.erasures == 1


@pytest.mark.parametrize("dataset", [True, False])
async def test_photos_that_were_taken_back_are_gone(filled, dataset):
    """Photos whose consent was withdrawn leave all backups, with trainings that copied them."""
    await filled.back_up()
    assert filled.search(b"pixels of 2")
    which = (await filled.store.datasets.list_for(ALICE))[0].id if dataset else None
    await filled.store.withdrawals.withdraw(ALICE, which, delete_styles=False)

    report = await filled.back_up()

    gone = (b"caption 1 of 1001", b"pixels of 2", b"alice's words")
    assert [path for words in gone for path in filled.search(words)] == []
    assert report.forgotten == 1
    assert filled.search(b"pixels of 1")  # it is Bob's, too
    assert filled.search(b"weights of alice")


async def test_a_member_who_comes_back_keeps_what_is_new(filled, make_photo):
    """Erasure holds for older snapshots alone."""
    await filled.back_up()
    await filled.store.members.erase(BOB, keep_styles=False)
    dataset = await filled.store.datasets.create(BOB, GUILD, "again", "subject")
    await filled.store.photos.add(dataset, make_photo(9))

    await filled.back_up()
    report = await filled.back_up()

    assert (report.forgotten, filled.search(b"pixels of 3")) == (0, [])
    assert f"photos/00/{9:064x}.png" in report.manifest.files


async def test_a_style_that_was_left_stays_without_its_maker(filled):
    """A shared style that its maker left on a server stays in backups, without an owner."""
    await filled.store.styles.share(filled.style.id, ALICE, GUILD)
    await filled.back_up()
    await filled.store.members.erase(ALICE, keep_styles=True)

    await filled.back_up()

    assert filled.search(b"weights of alice")
    folder = BackupFolder(filled.folder)
    for manifest in folder.list_manifests():
        with sqlite3.connect(folder.objects.find(manifest.files[DATABASE])) as rows:
            assert rows.execute("SELECT owner, job FROM styles").fetchall() == [(None, None)]


async def test_a_damaged_snapshot_keeps_nobody(filled):
    """A snapshot that a member cannot be removed from goes; the new one is taken all the same."""
    manifest = (await filled.back_up()).manifest
    BackupFolder(filled.folder).objects.find(manifest.files[DATABASE]).write_bytes(b"damaged")
    await filled.store.members.erase(ALICE, keep_styles=False)

    report = await filled.back_up()

    assert (report.forgotten, report.damaged) == (0, 1)
    assert BackupFolder(filled.folder).list_manifests() == [report.manifest]
    assert [path for words in ALICES for path in filled.search(words)] == []


async def test_a_job_that_still_runs_is_left_out(filled):
    """What a leaving member's job writes until it ends is in no new snapshot."""
    await filled.store.members.erase(ALICE, keep_styles=False)
    with pytest.raises(JobError, match="photos_withdrawn"):
        await add_style(filled.store, filled.running, b"weights of alice")

    await filled.back_up()

    assert [path for words in ALICES for path in filled.search(words)] == []


async def test_every_column_of_members_is_searched(store):
    """Each table's columns that hold members are looked through for those who left."""
    sql = "SELECT name FROM sqlite_schema WHERE type = 'table'"
    names = {"member", "owner", "reporter", "requested_by"}
    found = {
        f"{column['name']} FROM {table['name']}"
        for table in await store._database.execute(sql)
        for column in await store._database.execute(f"PRAGMA table_info({table['name']})")
        if column["name"] in names
    }

    kept = {"member FROM erasures", "member FROM blocked"}  # these outlive a member, on purpose
    assert found - {"owner FROM collecting"} - kept <= {
        *re.findall(r"SELECT (\w+ FROM \w+)", LIST_MEMBERS)
    }
