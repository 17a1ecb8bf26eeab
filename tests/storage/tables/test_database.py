"""The connection: transactions and migrations."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.errors import UserError
from storage.tables.database import MIGRATIONS, Database, list_snapshots, split_statements


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


async def make_database(path: Path, folder: Path) -> None:
    """Make a database of some pages."""
    database = await Database.open(path, folder)
    await database.execute("INSERT INTO first VALUES (zeroblob(200000))")
    await database.close()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:5000],
        lambda whole: whole[:50],
        lambda whole: b"no database" * len(whole),
        lambda whole: whole[:4096] + bytes(b ^ 0xFF for b in whole[4096:8192]) + whole[8192:],
    ],
    ids=["half", "two pages", "half a header", "something else", "a bad page"],
)
async def test_damaged(folder: Path, spoil: Callable[[bytes], bytes]) -> None:
    """A database that is not whole is refused with its path, and left as it is."""
    path = folder / "x.db"
    await make_database(path, folder)
    content = spoil(path.read_bytes())
    path.write_bytes(content)

    with pytest.raises(UserError, match="database_damaged") as refused:
        await Database.open(path, folder)

    assert refused.value.facts["path"] == str(path)
    assert path.read_bytes() == content


async def test_closed(folder: Path) -> None:
    """A database that cannot be opened or written to is told with SQLite's reason."""
    (folder / "x.db").mkdir()

    with pytest.raises(UserError, match=r"home_closed.*unable to open"):
        await Database.open(folder / "x.db", folder)


async def test_snapshots(folder: Path) -> None:
    """Before a migration the database is copied; the last two copies are kept."""
    path = folder / "x.db"
    await make_database(path, folder)
    snapshots = []
    for number in (2, 3, 4):
        (folder / f"000{number}_more.sql").write_text(f"CREATE TABLE t{number} (x INTEGER);")
        await (await Database.open(path, folder)).close()
        snapshots.append([file.name for file in list_snapshots(path)])
    copy = await Database.connect(list_snapshots(path)[-1], "ro")
    version, found = await copy.read_version(), await tables(copy)
    await copy.close()

    assert snapshots[0] == ["x.db.before-2"]
    assert snapshots[2] == ["x.db.before-3", "x.db.before-4"]
    assert (version, found) == (3, {"first", "t2", "t3"})


async def test_log(folder: Path) -> None:
    """The log is emptied of what was deleted, unless another process reads."""
    path = folder / "x.db"
    database = await Database.open(path, folder)
    reader = sqlite3.connect(path)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM first").fetchall()
    await database.execute("INSERT INTO first VALUES (zeroblob(9000))")

    busy = await database.empty_log()
    reader.close()
    free = await database.empty_log()
    log = path.with_name("x.db-wal").stat().st_size
    patience = await database.execute("PRAGMA busy_timeout")
    await database.close()

    assert (busy, free, log, patience[0][0]) == (False, True, 0, 30_000)


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
