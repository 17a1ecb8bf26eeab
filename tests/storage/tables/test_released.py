"""A database of every schema that was released is migrated with all its rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from storage.errors import UserError
from storage.folders import Home
from storage.records import JobCommand, Status
from storage.requests import TrainRequest
from storage.store import Store
from storage.tables.database import list_snapshots, newest_migration
from tests.storage.tables.released import digest_migrations, list_digests, load_schema

ALICE, BOB, GUILD = 100000000000000001, 100000000000000002, 77000000000000001
RENAMED = {"durations": "paces"}
#: times that versions before the fourth migration measured are too few to be kept
DROPPED_BEFORE = {"durations": 4}
IGNORED = {"trash", "identity"}  #: swept at the start; random
DERIVED = {
    "style_contributors",
    "worker_catalogs",
}  #: from other tables, by the migration that creates them
Rows = dict[str, list[tuple[object, ...]]]


def read_rows(path: Path | str) -> Rows:
    """Return the rows of every table."""
    with closing(sqlite3.connect(path)) as database:
        return {name: rows for name, rows in list_rows(database) if name not in IGNORED}


def list_rows(database: sqlite3.Connection) -> Iterator[tuple[str, list[tuple[object, ...]]]]:
    """List the tables with their rows."""
    sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
    for (name,) in database.execute(sql).fetchall():
        yield name, sorted(database.execute(f"SELECT * FROM {name}").fetchall(), key=repr)


def expect_rows(number: int, before: Rows, tmp_path: Path) -> Rows:
    """Return the newest schema's rows, but those of tables that an older schema did not have."""
    load_schema(newest_migration(), tmp_path / "newest.db")
    rows = read_rows(tmp_path / "newest.db")
    sequences = {name for name, _ in before["sqlite_sequence"]}
    rows["sqlite_sequence"] = [row for row in rows["sqlite_sequence"] if row[0] in sequences]
    return {
        name: found
        if (name in DERIVED or name in before or RENAMED.get(name) in before)
        and number >= DROPPED_BEFORE.get(name, 0)
        else []
        for name, found in rows.items()
    }


def test_no_migration_is_edited() -> None:
    """Each migration is as it was released; `tests.storage.tables.released` notes a new one."""
    assert digest_migrations() == list_digests()


def test_every_table_has_rows(tmp_path: Path) -> None:
    """A migration that makes a table comes with rows for it, so that later ones keep them."""
    load_schema(newest_migration(), tmp_path / "newest.db")

    assert [name for name, rows in read_rows(tmp_path / "newest.db").items() if not rows] == []


@pytest.mark.parametrize("number", range(1, newest_migration() + 1))
async def test_migration(number: int, home: Home, tmp_path: Path) -> None:
    """All rows are there after the migration, and a snapshot has the database of before it."""
    home.path.mkdir()
    load_schema(number, home.database_file)
    before = read_rows(home.database_file)

    await (await Store.open(home)).close()

    with closing(sqlite3.connect(home.database_file)) as database:
        checks = [
            database.execute(f"PRAGMA {name}").fetchall()
            for name in ("integrity_check", "foreign_key_check", "user_version")
        ]
    assert checks == [[("ok",)], [], [(newest_migration(),)]]
    assert read_rows(home.database_file) == expect_rows(number, before, tmp_path)
    snapshots = {copy.name: read_rows(copy) for copy in list_snapshots(home.database_file)}
    old = number < newest_migration()
    assert snapshots == ({f"safelight.db.before-{number + 1}": before} if old else {})


async def test_meaning(home: Home) -> None:
    """What the oldest version stored still means the same."""
    home.path.mkdir()
    load_schema(1, home.database_file)

    async with await Store.open(home) as store:
        done, running, caption = [await store.jobs.get(number) for number in (1, 3, 4)]
        [style] = await store.styles.list_usable(BOB, GUILD)
        exported = await store.members.export(ALICE)
        with pytest.raises(UserError, match="dataset_busy"):
            await store.datasets.delete(2, ALICE)
        photos = await store.photos.list_for(3, BOB)
        claimed = await store.jobs.release(3, running.fence)

    assert (done.style, style.id, style.shared) == (1, 1, (GUILD,))
    assert TrainRequest.from_json(running.request).other_datasets[0].trigger == "tom"
    assert (running.requested, running.requested_by) == (JobCommand.PAUSE, BOB)
    assert (caption.status, claimed.status) == (Status.QUEUED, Status.PAUSED)
    assert photos[0].caption == "eine Straße\nbei Nacht"
    assert [len(exported[name]) for name in ("datasets", "photos", "jobs", "styles")] == [
        2,
        3,
        4,
        1,
    ]
