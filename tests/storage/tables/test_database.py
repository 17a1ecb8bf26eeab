"""The connection: transactions and migrations."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from storage.errors import UserError
from storage.tables.database import MIGRATIONS, Database, split_statements


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one migration."""
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE first (x INTEGER);")
    return tmp_path


async def tables(database: Database) -> set[str]:
    """Return the names of the tables."""
    return {row["name"] for row in await database.execute("SELECT name FROM sqlite_master")}


async def test_settings(tmp_path: Path) -> None:
    """The database has a write-ahead log, syncs fully, enforces keys and overwrites deletions."""
    database = await Database.open(tmp_path / "x.db")
    names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
    values = [(await database.execute(f"PRAGMA {name}"))[0][0] for name in names]
    await database.close()

    assert values == ["wal", 2, 1, 1, 30000]


async def test_failed_migration(folder: Path) -> None:
    """A failed migration is rolled back; the ones before it stay."""
    (folder / "0002_broken.sql").write_text(
        "CREATE TABLE second (x); INSERT INTO nowhere VALUES (1);"
    )

    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        await Database.open(folder / "x.db", folder)
    (folder / "0002_broken.sql").write_text("CREATE TABLE mended (x);")
    database = await Database.open(folder / "x.db", folder)
    found, version = await tables(database), await database.read_version()
    await database.close()

    assert found == {"first", "mended"}
    assert version == 2


async def test_concurrent_opens(folder: Path) -> None:
    """Processes that open a new database at once wait for each other and migrate it once."""
    path = folder / "x.db"
    opened = await asyncio.gather(*(Database.open(path, folder) for _ in range(8)))
    versions = {await database.read_version() for database in opened}
    for database in opened:
        await database.close()

    assert versions == {1}


async def test_newer_version(folder: Path) -> None:
    """A database of a newer version is refused."""
    database = await Database.open(folder / "x.db", folder)
    await database.execute("PRAGMA user_version = 9")
    await database.close()

    with pytest.raises(UserError, match="database_newer"):
        await Database.open(folder / "x.db", folder)


async def test_rollback(folder: Path) -> None:
    """A failed transaction is rolled back, also when its task is cancelled."""
    database = await Database.open(folder / "x.db", folder)

    async def write(error: BaseException) -> None:
        async with database.transaction() as tx:
            await tx.execute("INSERT INTO first VALUES (1)")
            raise error

    with pytest.raises(KeyError):
        await write(KeyError())
    with pytest.raises(asyncio.CancelledError):
        await write(asyncio.CancelledError())
    rows = await database.execute("SELECT * FROM first")
    await database.close()

    assert rows == []


async def test_isolation(folder: Path) -> None:
    """A statement of another task does not become part of a transaction."""
    database = await Database.open(folder / "x.db", folder)
    inside = asyncio.Event()

    async def broken() -> None:
        async with database.transaction() as tx:
            await tx.execute("INSERT INTO first VALUES (1)")
            inside.set()
            await asyncio.sleep(0.05)
            raise KeyError

    async def beside() -> None:
        await inside.wait()
        await database.execute("INSERT INTO first VALUES (2)")

    await asyncio.gather(broken(), beside(), return_exceptions=True)
    rows = await database.execute("SELECT x FROM first")
    await database.close()

    assert [row["x"] for row in rows] == [2]


async def test_full_disk(folder: Path) -> None:
    """A full disk is reported as such."""
    database = await Database.open(folder / "x.db", folder)
    await database.execute("PRAGMA max_page_count = 3")

    with pytest.raises(UserError, match="disk_full"):
        await database.execute("INSERT INTO first VALUES (zeroblob(40000))")
    await database.close()


def test_statements() -> None:
    """A trigger's body stays in one statement; the last one needs no semicolon."""
    script = "CREATE TRIGGER t AFTER INSERT ON x BEGIN\n SELECT 1;\n SELECT 2;\nEND;\nSELECT 3"

    assert len(split_statements(script)) == 2


def test_numbering() -> None:
    """Migrations are numbered without gaps."""
    numbers = [int(file.name.split("_")[0]) for file in sorted(MIGRATIONS.glob("*.sql"))]

    assert numbers == list(range(1, len(numbers) + 1))
