"""A snapshot proves that it can be restored."""

from __future__ import annotations

import asyncio
import json

import pytest

from storage.backup.status import BackupStatus
from storage.backup.verify import verify
from storage.errors import SafelightError, UserError


async def test_a_good_one(filled):
    """A whole snapshot is restored and opened, and leaves nothing behind."""
    manifest = (await filled.back_up()).manifest

    report = await asyncio.to_thread(verify, filled.folder)

    assert report.manifest == manifest
    assert not (filled.folder / "spare").exists()


async def test_damage(filled):
    """A changed or missing object is found, and the next backup copies it anew."""
    manifest = (await filled.back_up()).manifest
    file = next(f for path, f in manifest.files.items() if path.startswith("styles/"))
    path = filled.folder / "objects" / file.sha256[:2] / file.sha256
    path.write_bytes(b"weights of nobody"[: file.bytes])

    with pytest.raises(UserError, match="backup_unsound"):
        await asyncio.to_thread(verify, filled.folder)

    assert (await filled.back_up()).copied_bytes == file.bytes
    await asyncio.to_thread(verify, filled.folder)


async def test_a_row_without_its_file(filled):
    """A photo that a row names and the snapshot lacks is found."""
    await filled.back_up()
    (path,) = filled.folder.glob("snapshots/*.json")
    content = json.loads(path.read_text())
    content["files"] = {p: f for p, f in content["files"].items() if not p.startswith("photos")}
    path.write_text(json.dumps(content))

    with pytest.raises(UserError, match="backup_lacks") as error:
        await asyncio.to_thread(verify, filled.folder)

    assert error.value.facts["count"] == 3


async def test_what_the_home_had_lost_is_known(filled):
    """A file that was missing before the backup does not make it a bad one."""
    filled.home.photo_file(f"{3:064x}").unlink()
    await filled.back_up()

    report = await asyncio.to_thread(verify, filled.folder)

    assert report.manifest.missing == (f"photos/00/{3:064x}.png",)


async def test_the_status_is_kept(home):
    """The doctor reads when backups were made and verified, and what failed since."""
    home.path.mkdir()
    assert BackupStatus.read(home) == BackupStatus()

    status = BackupStatus().after_backup("b").after_verification("b")
    failed = status.after_failure("b", SafelightError("backup_busy", folder="b"))
    failed.write(home)

    read = BackupStatus.read(home)
    assert read == failed
    assert (read.made, read.verified) == (status.made, status.verified)
    assert read.error is not None
    assert (read.error.code, read.error.facts) == ("backup_busy", {"folder": "b"})
    assert read.after_backup("b").error is None
