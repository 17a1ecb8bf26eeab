"""A snapshot of a data folder that is in use."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage.backup import write
from storage.backup.folder import BackupFolder
from storage.backup.manifest import DATABASE
from storage.errors import UserError
from storage.folders import Home
from storage.records import Status


async def test_everything_is_in_a_snapshot(filled):
    """Database, photos, previews, styles and jobs' folders are in it, each with its digest."""
    manifest = (await filled.back_up()).manifest

    rooms = [path.split("/")[0] for path in manifest.files]
    run = filled.run.path.relative_to(filled.home.path).as_posix()
    objects = BackupFolder(filled.folder).objects

    assert {room: rooms.count(room) for room in rooms} == {
        DATABASE: 1, "photos": 3, "previews": 3, "styles": 1, "runs": 7,
    }  # fmt: skip
    assert {path.removeprefix(run) for path in manifest.files if path.startswith(run)} == {
        "/job.json", "/events.jsonl", "/photos/0001.png", "/samples/0.png",
        "/checkpoints/step-000004.safetensors", "/result/style.safetensors",
    }  # fmt: skip
    assert all(objects.has(file) for file in manifest.files.values())
    assert manifest.missing == ()


async def test_no_half_line_is_kept(filled):
    """Events end with a whole line, although the worker was writing the next one."""
    manifest = (await filled.back_up()).manifest

    path = filled.run.events_file.relative_to(filled.home.path).as_posix()
    kept = BackupFolder(filled.folder).objects.find(manifest.files[path]).read_bytes()

    assert kept == filled.run.events_file.read_bytes().splitlines(keepends=True)[0]


async def test_secrets_stay_outside(filled):
    """The key of links, settings and logs are in no backup, nor what a link leads to."""
    outside = filled.home.path.parent / "outside"
    for path in (
        filled.home.path / "secret",
        filled.home.path / ".env",
        filled.run.log_file,
        outside,
    ):
        path.write_bytes(b"very secret")
    (filled.run.result / "linked.png").symlink_to(outside)

    await filled.back_up()

    assert filled.search(b"very secret") == []


async def test_what_is_known_is_not_copied_again(filled, make_photo):
    """A second snapshot copies only what is new."""
    await filled.back_up()
    await filled.store.photos.add(
        filled.bobs, make_photo(7, pixels=b"a" * 1000, preview=b"b" * 10)
    )

    report = await filled.back_up()

    assert report.copied_bytes == 1010
    assert len(BackupFolder(filled.folder).list_manifests()) == 2


async def test_an_interrupted_run_goes_on(filled):
    """A run that was interrupted leaves no snapshot, and what it copied is not copied again."""
    lost = filled.home.photo_file(f"{2:064x}")
    lost.chmod(0)
    if os.access(lost, os.R_OK):  # as root everything can be read
        lost.unlink()
        lost.mkdir()
    with pytest.raises(UserError, match="backup_refused"):
        await filled.back_up()
    folder = BackupFolder(filled.folder)
    assert folder.list_manifests() == []
    assert [*filled.folder.glob("spare/*")] == []
    if lost.is_dir():
        lost.rmdir()
        lost.write_bytes(b"pixels of 2")
    lost.chmod(0o600)

    copied = len([*filled.folder.glob("objects/*/*")])
    report = await filled.back_up()

    assert copied > 0
    assert len(folder.list_manifests()) == 1
    assert report.manifest.missing == ()


async def test_what_is_deleted_meanwhile_is_left_out(filled):
    """A photo and a training that go while files are copied are in neither rows nor files."""

    class Busy(write.Writer):
        rounds = 0

        def copy_database(self):
            found = super().copy_database()
            self.rounds += 1
            if self.rounds == 1:  # now the training ends, and the member deletes a photo
                asyncio.run_coroutine_threadsafe(change(), loop).result()
            return found

    async def change():
        (_, second) = await filled.store.photos.list_for(filled.alices.id, 1001)
        await filled.store.jobs.end_run(filled.running.id, filled.running.fence, Status.FAILED)
        await filled.store.photos.remove(second.id, 1001)

    def take():
        with write.opened(filled.home.database_file) as live, target.locked():
            return Busy(filled.home, live, target).take()[2]

    loop, target = asyncio.get_running_loop(), BackupFolder(filled.folder)
    target.create("key")

    manifest = await asyncio.to_thread(take)

    assert manifest.missing == ()
    assert f"photos/00/{2:064x}.png" not in manifest.files
    with sqlite3.connect(target.objects.find(manifest.files[DATABASE])) as rows:
        assert rows.execute("SELECT count(*) FROM photos").fetchone() == (3,)
        assert rows.execute("SELECT status FROM jobs").fetchall() == [("done",), ("failed",)]


async def test_what_the_home_has_lost_is_told(filled):
    """A file that was missing before the backup does not stop it, and is named."""
    filled.home.photo_file(f"{3:064x}").unlink()

    report = await filled.back_up()

    assert report.manifest.missing == (f"photos/00/{3:064x}.png",)


async def test_places_that_are_refused(filled, tmp_path):
    """No backup goes into the data folder, beside other files, or to another home's."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    (tmp_path / "link").symlink_to(filled.home.path)
    other = Home(tmp_path / "other")
    refused = {
        filled.home.path / "backups": "backup_inside",
        tmp_path: "backup_inside",
        tmp_path / "link" / "x": "backup_inside",
        tmp_path / "mine": "backup_occupied",
    }
    for folder, code in refused.items():
        with pytest.raises(UserError, match=code):
            await asyncio.to_thread(write.back_up, filled.home, folder)
    with pytest.raises(UserError, match="backup_empty"):
        await asyncio.to_thread(write.back_up, other, filled.folder)
    await filled.back_up()
    (filled.folder / "safelight-backup.json").write_text(json.dumps({"format": 1, "home": "x"}))
    with pytest.raises(UserError, match="backup_other"):
        await filled.back_up()


async def test_two_runs_at_once(filled):
    """A second run beside the first is refused."""
    await filled.back_up()
    with BackupFolder(filled.folder).locked(), pytest.raises(UserError, match="backup_busy"):
        await filled.back_up()


async def test_no_room(filled):
    """Without room nothing is copied, and the sentence says how much is needed."""
    large = filled.run.samples / "large.png"
    with large.open("wb") as file:
        file.truncate(1 << 43)  # a hole: it takes no room here

    with pytest.raises(UserError, match="backup_space") as error:
        await filled.back_up()

    assert error.value.facts["need"] >= 1 << 23
    assert BackupFolder(filled.folder).list_manifests() == []


async def test_checkpoints(filled):
    """Checkpoints of a finished training, which are kept for some days only, are left out."""
    filled.run.kept.mkdir()
    filled.run.kept_state.write_bytes(b"the last state")
    await filled.back_up()

    assert filled.search(b"the last state") == []
    assert filled.search(b"checkpoint with alice's words") != []


def overwrite_pages(path: Path) -> None:
    """Damage a database so that it cannot be copied."""
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 20] = b"\x55" * (4096 * 17)
    path.write_bytes(content)


def break_rule(path: Path) -> None:
    """Damage a database so that only a check finds it: a column is empty that may not be."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA writable_schema = ON")
        rule = "UPDATE sqlite_schema SET sql = replace(sql, 'lease REAL', 'lease REAL NOT NULL')"
        assert database.execute(f"{rule} WHERE name = 'jobs'").rowcount == 1


@pytest.mark.parametrize("damage", [overwrite_pages, break_rule])
async def test_a_damaged_database_is_refused(filled, damage):
    """A database that fails its check replaces no good backup."""
    await filled.store.close()
    damage(filled.home.database_file)

    with pytest.raises(UserError, match="home_damaged"):
        await filled.back_up()

    assert BackupFolder(filled.folder).list_manifests() == []


def test_the_spare_folder_is_cleared(tmp_path: Path):
    """What a killed run left half-written is removed by the next one."""
    folder = BackupFolder(tmp_path)
    folder.spare.mkdir()
    (folder.spare / "object.part").write_bytes(b"half")
    with folder.locked():
        assert [*folder.spare.iterdir()] == []
