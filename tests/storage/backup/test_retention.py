"""Which snapshots are kept, and what goes with the others."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from storage.backup.folder import BackupFolder
from storage.backup.manifest import Manifest, name_of
from storage.backup.restore import find_snapshot
from storage.backup.retention import KEEP, parse_keep, select_kept
from storage.backup.status import BackupStatus
from storage.errors import UserError

NIGHT = datetime(2026, 11, 30, 3, tzinfo=UTC)


def nightly(days):
    """Return manifests of so many nights, oldest first."""
    times = [(NIGHT - timedelta(days=day)).timestamp() for day in reversed(range(days))]
    return [Manifest(time, "0.2", 8, 0, {}) for time in times]


def test_days_weeks_and_months():
    """Of a year of nights, seven days, four weeks and six months remain."""
    kept = {each.name[:10] for each in select_kept(nightly(365), parse_keep(KEEP))}

    assert kept == {
        "2026-11-30", "2026-11-29", "2026-11-28", "2026-11-27", "2026-11-26", "2026-11-25",
        "2026-11-24",  # days; the Sundays before are weeks
        "2026-11-22", "2026-11-15",
        "2026-10-31", "2026-09-30", "2026-08-31", "2026-07-31", "2026-06-30",
    }  # fmt: skip


def test_the_newest_is_always_kept():
    """Nothing to keep still keeps one, and a break of a year keeps the old ones."""
    nights = nightly(3)

    assert select_kept(nights, parse_keep("0d")) == nights[-1:]
    assert len(select_kept([nightly(400)[0], *nights], parse_keep("7d"))) == 4
    assert select_kept([], parse_keep(KEEP)) == []


@pytest.mark.parametrize("text", ["", "7", "7d,", "7d,3d", "d7", "-7d", "7y", "7d;4w", "99999d"])
def test_wrong_rules(text):
    """What is no rule is refused with one that works."""
    with pytest.raises(UserError, match="keep_bad") as error:
        parse_keep(text)

    assert error.value.facts["example"] == KEEP


async def test_objects_go_with_their_last_snapshot(filled):
    """What only removed snapshots named is removed, and the rest stays whole."""
    await filled.back_up()
    (_, third) = await filled.store.photos.list_for(filled.bobs.id, 1002)
    await filled.store.photos.remove(third.id, 1002)
    assert filled.search(b"caption 3 of 1002")

    report = await filled.back_up(keep=parse_keep("1d"))

    folder = BackupFolder(filled.folder)
    assert report.removed == 1
    assert folder.list_manifests() == [report.manifest]
    named = {file.sha256 for file in report.manifest.files.values()}
    assert {path.name for path in filled.folder.glob("objects/*/*")} == named


async def test_nothing_is_removed_beside_a_manifest_that_cannot_be_read(filled):
    """A damaged manifest may still name objects, so a run stops before it removes any."""
    await filled.back_up()
    (path,) = filled.folder.glob("snapshots/*.json")
    path.write_text(path.read_text()[:-20])
    before = {*filled.folder.glob("objects/*/*")}

    with pytest.raises(UserError, match="backup_broken"):
        await filled.back_up()

    assert before <= {*filled.folder.glob("objects/*/*")}


async def test_a_clock_that_was_ahead(filled):
    """A snapshot of the far future is not the newest: the one after it is kept and restored."""
    ahead = (await filled.back_up()).manifest
    (path,) = filled.folder.glob("snapshots/*.json")
    created = ahead.created + 50 * 365 * 86400
    path.write_text(json.dumps(json.loads(path.read_text()) | {"created": created}))
    path.rename(path.with_name(f"{name_of(created)}.json"))

    made, folder = (await filled.back_up()).manifest, BackupFolder(filled.folder)
    found = find_snapshot(folder)
    kept = (await filled.back_up(keep=parse_keep("1d"))).manifest

    assert found == made
    assert folder.list_manifests() == [kept]


def test_a_note_from_the_future(home):
    """Backups that were made or verified in the future count as never, so they are due."""
    home.path.mkdir()
    now = time.time()
    BackupStatus("b", made=now + 7 * 86400, verified=now - 60).write(home)

    assert BackupStatus.read(home) == BackupStatus("b", verified=now - 60)
