"""A data folder is brought back from a snapshot."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
from datetime import datetime

import pytest

from storage.backup.folder import BackupFolder
from storage.backup.manifest import DATABASE
from storage.backup.restore import find_snapshot, restore
from storage.backup.write import back_up
from storage.errors import UserError
from storage.folders import Home
from storage.photofiles import PhotoKeys, new_key, read_photo, using_keys
from storage.records import Status
from storage.store import Store
from tests.storage.backup.conftest import ALICE, BOB


@pytest.fixture
def new(tmp_path):
    """A data folder that does not exist yet."""
    return Home(tmp_path / "new")


def bring_back(filled, home, when=""):
    """Restore, as the command does."""
    return asyncio.to_thread(restore, filled.folder, home, when)


def change(filled, **more):
    """Change the newest manifest, as somebody else might."""
    (path,) = filled.folder.glob("snapshots/*.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | more))


async def test_encrypted_photos_stay_so(filled, new, make_photo):
    """A backup has photos as encrypted as the data folder, and brings them back."""
    keys, photo = PhotoKeys.parse(new_key()), make_photo(9, pixels=b"nobody's business")
    with using_keys(keys):
        await filled.store.photos.add(filled.bobs, photo)
        await filled.back_up()
        await bring_back(filled, new)

        assert filled.search(photo.pixels) == []
        assert read_photo(new.photo_file(photo.digest)) == photo.pixels


async def test_everything_comes_back(filled, new):
    """Every file has the same bytes, and rows, cursors and events are as they were."""
    await filled.store.events.save_cursor("bot", 3)
    manifest = (await filled.back_up()).manifest
    events = await filled.store.events.list_since(0)

    await bring_back(filled, new)

    for path, file in manifest.files.items():
        if path != DATABASE:
            assert hashlib.sha256((new.path / path).read_bytes()).hexdigest() == file.sha256
    async with await Store.open(new) as store:
        assert [p.caption for p in await store.photos.list_for(filled.alices.id, ALICE)] == [
            "caption 1 of 1001", "caption 2 of 1001",
        ]  # fmt: skip
        (style,) = await store.styles.list_for(ALICE)
        assert store.styles.file(style).read_bytes() == b"weights of alice"
        assert await store.events.read_cursor("bot") == 3
        assert await store.events.list_since(0) == events
    assert not (new.path / ".restoring").exists()
    assert not (new.path / "secret").exists()
    assert new.path.stat().st_mode & 0o777 == 0o700


async def test_running_jobs_can_go_on(filled, new):
    """A job that ran is found as one whose worker is gone, and its attempt does not count."""
    await filled.back_up()

    await bring_back(filled, new)

    async with await Store.open(new) as store:
        (stalled,) = await store.jobs.list_stalled()
        assert (stalled.id, stalled.attempts, stalled.status) == (
            filled.running.id,
            0,
            Status.RUNNING,
        )
        left = await store.jobs.release(stalled.id, stalled.fence)
        assert left.status is Status.QUEUED


async def test_a_restored_folder_is_backed_up_on(filled, new):
    """The next backup goes to the same folder, copies nothing anew, and erasures still count."""
    first = (await filled.back_up()).manifest
    await filled.store.members.erase(BOB, keep_styles=False)
    await filled.back_up()
    await bring_back(filled, new, first.name)

    async with await Store.open(new) as store:
        report = await asyncio.to_thread(back_up, new, filled.folder)
        await store.members.erase(ALICE, keep_styles=False)
        again = await asyncio.to_thread(back_up, new, filled.folder)

    assert report.copied_bytes == 0
    assert again.forgotten == 3
    assert filled.search(b"weights of alice") == []


async def test_new_rows_take_no_old_numbers(filled, new, make_job):
    """Cards that were posted after the snapshot name no row of another member."""
    await filled.back_up()
    later = await filled.store.jobs.queue(make_job(owner=ALICE))

    await bring_back(filled, new)

    async with await Store.open(new) as store:
        assert (await store.jobs.queue(make_job(owner=BOB))).id > later.id + 1000


WRONG_PATHS = (
    "../evil", "/etc/evil", "photos/../../evil", "photos//x", "bases/evil", "secret", "photos",
    "photos/a\\b", "photos/\x00", "C:/evil", "./photos/x",
)  # fmt: skip


async def test_no_path_leads_outside(filled, new):
    """A manifest with a path outside its folders is refused, and nothing is written."""
    manifest = (await filled.back_up()).manifest
    some = next(iter(manifest.files.values()))
    files = json.loads(manifest.to_json())["files"]
    for path in WRONG_PATHS:
        change(filled, files=files | {path: [some.sha256, some.bytes, 0]})
        with pytest.raises(UserError, match="backup_path"):
            await bring_back(filled, new)

    assert not new.path.exists()
    assert not (new.path.parent / "evil").exists()


async def test_damage_is_found_before_anything_is_in_place(filled, new):
    """One bit flipped in any object stops a restore, and the data folder stays empty."""
    await filled.back_up()
    for path in [*filled.folder.glob("objects/*/*")]:
        good = path.read_bytes()
        if good:
            path.write_bytes(bytes([good[0] ^ 1]) + good[1:])
            with pytest.raises(UserError, match="backup_damaged"):
                await bring_back(filled, new)
            path.write_bytes(good)
        path.rename(path.with_suffix(".away"))
        with pytest.raises(UserError, match="backup_damaged"):
            await bring_back(filled, new)
        path.with_suffix(".away").rename(path)
    assert [*new.path.iterdir()] == []


WRONG_MANIFESTS = (
    ({"schema": 9999}, "backup_newer"),
    ({"format": 2}, "backup_newer"),
    ({"files": {}}, "backup_broken"),
    ({"files": {DATABASE: ["../x", 1, 1]}}, "backup_broken"),
    ({"files": []}, "backup_broken"),
    ({"more": 1}, "backup_broken"),
)


async def test_manifests_that_are_refused(filled, new):
    """A newer schema or format, and a manifest that is none, are refused."""
    await filled.back_up()
    (path,) = filled.folder.glob("snapshots/*.json")
    good = path.read_text()
    for more, code in WRONG_MANIFESTS:
        path.write_text(json.dumps(json.loads(good) | more))
        with pytest.raises(UserError, match=code):
            await bring_back(filled, new)
    for size in range(0, len(good), 97):
        path.write_text(good[:size])
        with pytest.raises(UserError, match="backup_broken"):
            await bring_back(filled, new)

    assert not new.path.exists()


async def test_a_database_that_is_newer_than_its_manifest_says(filled, new):
    """The database's own number counts."""
    manifest = (await filled.back_up()).manifest
    objects = BackupFolder(filled.folder).objects
    copy = filled.folder.parent / "copy.db"
    objects.copy_out(manifest.files[DATABASE], copy)
    with sqlite3.connect(copy) as database:
        database.execute("PRAGMA user_version = 9999")
    database.close()
    stored = objects.add(copy)
    files = json.loads(manifest.to_json())["files"]
    change(filled, files=files | {DATABASE: [stored.sha256, stored.bytes, 0]})

    with pytest.raises(UserError, match="backup_newer"):
        await bring_back(filled, new)

    assert [*new.path.iterdir()] == []


async def test_only_an_empty_folder_is_filled(filled, new):
    """A folder with anything but bases is refused; an interrupted restore is begun anew."""
    await filled.back_up()
    (new.path / "bases").mkdir(parents=True)
    (new.path / "bases" / "own.safetensors").write_bytes(b"base")
    (new.path / "secret").write_bytes(b"key")
    with pytest.raises(UserError, match="home_occupied"):
        await bring_back(filled, new)
    (new.path / "secret").unlink()
    (new.path / ".restoring").mkdir()
    (new.path / "photos" / "00").mkdir(parents=True)  # it was moved, then the power went

    await bring_back(filled, new)

    assert (new.path / "bases" / "own.safetensors").read_bytes() == b"base"
    with pytest.raises(UserError, match="home_occupied"):
        await bring_back(filled, new)


async def test_a_disk_that_is_not_mounted_is_not_filled(filled, tmp_path):
    """Nothing is restored below a mount point that is missing."""
    await filled.back_up()

    with pytest.raises(UserError, match="home_missing"):
        await bring_back(filled, Home(tmp_path / "disk" / "home"))

    assert not (tmp_path / "disk").exists()


async def test_a_snapshot_is_chosen_by_time(filled):
    """`--at` takes the newest one up to a day, a time or a snapshot's name."""
    folder = BackupFolder(filled.folder)
    manifests = [(await filled.back_up()).manifest for _ in range(3)]
    first, second, third = sorted(manifests, key=lambda each: each.created)
    day = datetime.fromtimestamp(third.created).astimezone().strftime("%Y-%m-%d")

    assert find_snapshot(folder) == third
    assert find_snapshot(folder, day) in manifests
    assert find_snapshot(folder, second.name) == second
    assert find_snapshot(folder, first.name) == first
    with pytest.raises(UserError, match="backup_none"):
        find_snapshot(folder, "2001-01-01")
    with pytest.raises(UserError, match="when_bad"):
        find_snapshot(folder, "yesterday")


async def test_a_folder_without_backups(tmp_path, new):
    """Any other folder, a file or nothing is told apart from backups."""
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path, tmp_path / "away", tmp_path / "file"):
        with pytest.raises(UserError, match="backup_unknown"):
            await asyncio.to_thread(restore, folder, new)
