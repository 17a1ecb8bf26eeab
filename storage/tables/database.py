"""A SQLite connection: statements, transactions and numbered migrations."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from storage.errors import UserError

Record = TypeVar("Record")  #: a dataclass
MIN_SQLITE_VERSION = (3, 38)  #: the SQLite that our statements need
SQLITE_VERSION = sqlite3.sqlite_version_info[:3]  #: the SQLite that this Python has
MIGRATIONS = Path(__file__).parents[1] / "migrations"
BUSY_TIMEOUT_SECONDS = 30  #: for another process to finish writing
PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # a job is on disk before its member reads that it is queued
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # overwrite what members delete
)


class Connection:
    """Runs statements; values are passed by name."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def execute(self, sql: str, /, **values: object) -> list[sqlite3.Row]:
        """Run one statement and return its rows."""
        try:
            return list(await self._connection.execute_fetchall(sql, values))
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                raise UserError("disk_full") from error
            raise

    async def fetch_one(self, sql: str, /, **values: object) -> sqlite3.Row | None:
        """Run one statement and return its first row."""
        rows = await self.execute(sql, **values)
        return rows[0] if rows else None


class Database(Connection):
    """The connection of a process; one statement or transaction has it at a time."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        super().__init__(connection)
        self._lock = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path, migrations: Path = MIGRATIONS) -> Database:
        """Connect and apply the missing migrations."""
        connection = await aiosqlite.connect(
            path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None
        )
        connection.row_factory = sqlite3.Row
        database = cls(connection)
        try:
            await database.apply_pragmas()
            await database.migrate(migrations)
        except BaseException:
            await database.close()
            raise
        return database

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
            ours = Connection(self._connection)
            try:
                await ours.execute("BEGIN IMMEDIATE")
                yield ours
                await ours.execute("COMMIT")
            except BaseException:
                await self._connection.rollback()
                raise

    async def migrate(self, folder: Path) -> None:
        """Apply the missing migrations, each in its own transaction.

        Raises UserError("database_newer") if a newer version has migrated the database further.
        """
        files = await asyncio.to_thread(lambda: sorted(folder.glob("[0-9]*.sql")))
        for file in files:
            sql = await asyncio.to_thread(file.read_text, "utf-8")
            await self._apply_migration(int(file.name.split("_")[0]), sql)
        newest = int(files[-1].name.split("_")[0]) if files else 0
        if (version := await self.read_version()) > newest:
            raise UserError("database_newer", version=version, newest=newest)

    async def read_version(self) -> int:
        """Return the number of the last applied migration."""
        rows = await self.execute("PRAGMA user_version")
        return int(rows[0][0])

    async def _apply_migration(self, number: int, sql: str) -> None:
        async with self.transaction() as tx:  # read the version inside: others may start, too
            done = await tx.fetch_one("PRAGMA user_version")
            if done is not None and done[0] >= number:
                return
            for statement in split_statements(sql):
                await tx.execute(statement)
            await tx.execute(f"PRAGMA user_version = {number}")


def newest_migration() -> int:
    """Return the number of the newest migration that this version has."""
    return max(int(file.name.split("_")[0]) for file in MIGRATIONS.glob("[0-9]*.sql"))


def read_row(record: type[Record], row: sqlite3.Row, **read: Any) -> Record:
    """Return a row as a record; `read` are the fields whose columns hold something else."""
    columns = {field.name: row[field.name] for field in fields(record)}  # type: ignore[arg-type]
    return record(**columns | read)


def split_statements(script: str) -> list[str]:
    """Split a SQL script into its statements."""
    found, rest = [], ""
    for piece in re.split(r"(?<=;)", script):  # triggers and comments contain semicolons
        rest += piece
        if sqlite3.complete_statement(rest):
            found.append(rest.strip())
            rest = ""
    return [*found, rest.strip()] if rest.strip() else found
