"""One connection: transactions and migrations."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from storage.errors import UserError
from storage.tables.database import MIGRATIONS, Database, split_statements


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with one migration."""
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE first (x INTEGER);")
    return tmp_path


async def tables(database: Database) -> set[str]:
    """Return the names of the tables."""
    return {row["name"] for row in await database.execute("SELECT name FROM sqlite_master")}


async def test_settings(tmp_path: Path) -> None:
    """The log is written ahead and in full, keys are enforced, what is deleted is overwritten."""
    database = await Database.open(tmp_path / "x.db")
    names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
    values = [(await database.execute(f"PRAGMA {name}"))[0][0] for name in names]
    await database.close()

    assert values == ["wal", 2, 1, 1, 30000]


async def test_broken(folder: Path) -> None:
    """A migration that breaks leaves nothing of itself, and the ones before it stay."""
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


async def test_together(folder: Path) -> None:
    """Processes that start at once on a new file wait for each other; each migration is once."""
    path = folder / "x.db"
    opened = await asyncio.gather(*(Database.open(path, folder) for _ in range(8)))
    versions = {await database.read_version() for database in opened}
    for database in opened:
        await database.close()

    assert versions == {1}


async def test_newer(folder: Path) -> None:
    """A database from a newer version is left alone, with a sentence."""
    database = await Database.open(folder / "x.db", folder)
    await database.execute("PRAGMA user_version = 9")
    await database.close()

    with pytest.raises(UserError, match="database_newer"):
        await Database.open(folder / "x.db", folder)


async def test_rollback(folder: Path) -> None:
    """A transaction that breaks leaves nothing, also when its task is cancelled."""
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


async def test_apart(folder: Path) -> None:
    """A statement beside a transaction is not drawn into it."""
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


async def test_full(folder: Path) -> None:
    """A full disk is told as such."""
    database = await Database.open(folder / "x.db", folder)
    await database.execute("PRAGMA max_page_count = 3")

    with pytest.raises(UserError, match="disk_full"):
        await database.execute("INSERT INTO first VALUES (zeroblob(40000))")
    await database.close()


def test_statements() -> None:
    """A trigger's body stays in one piece, and a last statement needs no semicolon."""
    script = "CREATE TRIGGER t AFTER INSERT ON x BEGIN\n SELECT 1;\n SELECT 2;\nEND;\nSELECT 3"

    assert len(split_statements(script)) == 2


def test_numbers() -> None:
    """Migrations are numbered without a gap."""
    numbers = [int(file.name.split("_")[0]) for file in sorted(MIGRATIONS.glob("*.sql"))]

    assert numbers == list(range(1, len(numbers) + 1))
