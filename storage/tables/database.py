"""A SQLite connection: statements, transactions and numbered migrations."""

from __future__ import annotations

import asyncio
import logging
import math
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import aiosqlite

from storage.disk import is_disk_full
from storage.errors import UserError
from storage.folders import replacing

log = logging.getLogger(__name__)

Record = TypeVar("Record")  #: a dataclass
MIN_SQLITE_VERSION = (3, 38)  #: the SQLite that our statements need
SQLITE_VERSION = sqlite3.sqlite_version_info[:3]  #: the SQLite that this Python has
MIGRATIONS = Path(__file__).parents[1] / "migrations"
BUSY_TIMEOUT_SECONDS = 30  #: for another process to finish writing
SHORT_TIMEOUT_MS = 500  #: for what is tried again later
PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # a job is on disk before its member reads that it is queued
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # overwrite what members delete
)
MAX_CHECKED_BYTES = 512 << 20  #: of a database that is checked at each start
KEPT_SNAPSHOTS = 2  #: copies of the database from before a migration
DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
CLOSED = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM}
CLOSED |= {sqlite3.SQLITE_READONLY}


class MigratedError(Exception):
    """Another process has migrated the database, and made the snapshot."""


class Connection:
    """Runs statements; values are passed by name."""

    def __init__(self, connection: aiosqlite.Connection, path: Path) -> None:
        self._connection, self.path = connection, path

    async def execute(self, sql: str, /, **values: object) -> list[sqlite3.Row]:
        """Run one statement and return its rows; raise UserError("disk_full") without room."""
        try:
            return list(await self._connection.execute_fetchall(sql, values))
        except sqlite3.OperationalError as error:
            if lacks_room(error, self.path):
                raise UserError("disk_full") from error
            raise

    async def fetch_one(self, sql: str, /, **values: object) -> sqlite3.Row | None:
        """Run one statement and return its first row."""
        rows = await self.execute(sql, **values)
        return rows[0] if rows else None


class Database(Connection):
    """The connection of a process; one statement or transaction has it at a time."""

    def __init__(self, connection: aiosqlite.Connection, path: Path) -> None:
        super().__init__(connection, path)
        self._lock = asyncio.Lock()

    @classmethod
    async def connect(cls, path: Path, mode: str = "rwc") -> Database:
        """Connect, in one of SQLite's modes; "rw" creates no file."""
        opening = aiosqlite.connect(
            f"file:{quote(str(path))}?mode={mode}",
            uri=True,
            timeout=BUSY_TIMEOUT_SECONDS,
            isolation_level=None,
        )
        try:
            connection = await opening
        except BaseException:  # its thread has yet to report to this event loop that it ends
            await asyncio.to_thread(opening._thread.join)  # noqa: SLF001 (it has no public name)
            raise
        connection.row_factory = sqlite3.Row
        return cls(connection, path)

    @classmethod
    async def open(
        cls, path: Path, migrations: Path = MIGRATIONS, *, snapshot: bool = True
    ) -> Database:
        """Connect, check the file and apply the missing migrations, after a snapshot of it.

        Raises UserError: "database_damaged", "database_newer", "home_closed" or "disk_full".
        """
        with explaining(path):
            database = await cls.connect(path)
            try:
                await database.apply_pragmas()
                if await database.read_size() < MAX_CHECKED_BYTES:
                    await database.quick_check()
                await database.migrate(migrations, snapshot=snapshot)
            except BaseException:
                await database.close()
                raise
            return database

    async def quick_check(self) -> None:
        """Read every page; raise UserError("database_damaged") if one is not as it should be."""
        with explaining(self.path):
            first = (await self.execute("PRAGMA quick_check(1)"))[0][0]
        if first != "ok":
            raise damaged(self.path, first)

    async def apply_pragmas(self) -> None:
        """Set the pragmas, waiting for other processes that do the same.

        SQLite's own busy timeout does not cover the change of a new file's journal mode.
        """
        for setting in PRAGMAS:
            until = time.monotonic() + BUSY_TIMEOUT_SECONDS
            while True:
                try:
                    await self.execute(setting)
                    break
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                        raise
                await asyncio.sleep(0.02)

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()

    async def execute(self, sql: str, /, **values: object) -> list[sqlite3.Row]:
        """Run one statement in its own transaction and return its rows."""
        async with self._lock:
            return await super().execute(sql, **values)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Yield the connection for statements that are committed together or not at all."""
        async with self._lock:
            ours = Connection(self._connection, self.path)
            try:
                await ours.execute("BEGIN IMMEDIATE")
                yield ours
                await ours.execute("COMMIT")
            except BaseException:
                await self._connection.rollback()
                raise

    async def migrate(self, folder: Path, *, snapshot: bool = True) -> None:
        """Apply the missing migrations, each in its own transaction.

        Raises UserError("database_newer") if a newer version has migrated the database further.
        """
        files = await asyncio.to_thread(list_migrations, folder)
        version, newest = await self.read_version(), max(files, default=0)
        check_version(version, newest)
        if snapshot and 0 < version < newest:
            await self._write_snapshot(version)
        for number, file in files.items():
            sql = await asyncio.to_thread(file.read_text, "utf-8")
            await self._apply_migration(number, sql)

    async def read_version(self) -> int:
        """Return the number of the last applied migration."""
        rows = await self.execute("PRAGMA user_version")
        return int(rows[0][0])

    async def _write_snapshot(self, version: int) -> None:
        """Copy the database of a version, unless another process has migrated it meanwhile."""
        target = self.path.with_name(f"{self.path.name}.before-{version + 1}")
        with suppress(MigratedError), replacing(target) as part:
            await self.execute("VACUUM INTO :part", part=str(part))
            copy = await self.connect(part, "ro")
            copied = await copy.read_version()
            await copy.close()
            if copied != version:
                raise MigratedError
        for old in list_snapshots(self.path)[:-KEPT_SNAPSHOTS]:
            old.unlink(missing_ok=True)

    async def read_size(self) -> int:
        """Return how many bytes the database has."""
        rows = await self.execute(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        )
        return int(rows[0][0])

    async def rewrite(self) -> bool:
        """Write the database anew, without its gaps; return whether that was possible.

        SQLite leaves pieces of deleted rows in gaps between others, also with `secure_delete`.
        Readers go on meanwhile.
        """
        try:
            await asyncio.to_thread(vacuum, self.path)
        except sqlite3.OperationalError as error:
            log.warning("The database cannot be rewritten now: %s", error)  # it is full or busy
            return False
        return True

    async def empty_log(self) -> bool:
        """Empty the write-ahead log, which keeps what was deleted; return whether it is empty.

        It is not while another process reads, such as a backup, which nobody has to wait for.
        """
        async with self._lock:
            await Connection.execute(self, f"PRAGMA busy_timeout = {SHORT_TIMEOUT_MS}")
            try:
                rows = await Connection.execute(self, "PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                await Connection.execute(
                    self, f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}"
                )
        return not rows[0]["busy"]

    async def remove_snapshots(self, until: float = math.inf) -> None:
        """Delete the copies from before migrations that were made until a time."""
        for copy in await asyncio.to_thread(list_snapshots, self.path):
            with suppress(FileNotFoundError):  # another process deletes them, too
                if copy.stat().st_mtime <= until:
                    copy.unlink()

    async def _apply_migration(self, number: int, sql: str) -> None:
        async with self.transaction() as tx:  # read the version inside: others may start, too
            done = await tx.fetch_one("PRAGMA user_version")
            if done is not None and done[0] >= number:
                return
            for statement in split_statements(sql):
                await tx.execute(statement)
            await tx.execute(f"PRAGMA user_version = {number}")


@contextmanager
def explaining(path: Path) -> Iterator[None]:
    """Turn what keeps the database from being used into a UserError."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in DAMAGED:
            raise damaged(path, error) from error
        if lacks_room(error, path):
            raise UserError("disk_full") from error
        if code in CLOSED:
            raise UserError("home_closed", folder=str(path.parent), reason=str(error)) from error
        raise


def check_version(version: int, newest: int) -> None:
    """Raise UserError("database_newer") if a newer version has migrated the database further."""
    if version > newest:
        raise UserError("database_newer", version=version, newest=newest)


def damaged(path: Path, reason: object) -> UserError:
    """Return the error of a damaged database."""
    facts = {"path": str(path), "folder": str(path.parent), "reason": str(reason)}
    return UserError("database_damaged", **facts)


def lacks_room(error: sqlite3.Error, path: Path) -> bool:
    """Return whether the disk is full; SQLite calls some failures to write I/O errors."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code == sqlite3.SQLITE_FULL or (code in CLOSED and is_disk_full(path.parent))


def vacuum(path: Path) -> None:
    """Write a database anew, in a connection of its own."""
    with closing(sqlite3.connect(path, BUSY_TIMEOUT_SECONDS, isolation_level=None)) as database:
        database.execute("VACUUM")


def list_migrations(folder: Path) -> dict[int, Path]:
    """Return the migrations by their numbers, in order."""
    return {int(file.name.split("_")[0]): file for file in sorted(folder.glob("[0-9]*.sql"))}


def list_snapshots(path: Path) -> list[Path]:
    """Return the copies of a database from before its migrations, oldest first."""
    found = path.parent.glob(f"{path.name}.before-[0-9]*")
    return sorted(found, key=lambda copy: int(copy.name.rpartition("-")[2]))


def newest_migration() -> int:
    """Return the number of the newest migration that this version has."""
    return max(int(file.name.split("_")[0]) for file in MIGRATIONS.glob("[0-9]*.sql"))


def read_row(record: type[Record], row: sqlite3.Row, **read: Any) -> Record:
    """Return a row as a record; `read` are the fields whose columns hold something else."""
    names: tuple[str, ...] = list_names(record)  # type: ignore[arg-type]  # a class is hashable
    return record(**{name: row[name] for name in names if name not in read}, **read)


@cache
def list_names(record: type[object]) -> tuple[str, ...]:
    """Return the names of a record's fields."""
    return tuple(field.name for field in fields(record))  # type: ignore[arg-type]


def split_statements(script: str) -> list[str]:
    """Split a SQL script into its statements."""
    found, rest = [], ""
    for piece in re.split(r"(?<=;)", script):  # triggers and comments contain semicolons
        rest += piece
        if sqlite3.complete_statement(rest):
            found.append(rest.strip())
            rest = ""
    return [*found, rest.strip()] if rest.strip() else found
