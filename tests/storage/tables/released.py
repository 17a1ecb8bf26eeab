"""Databases of every schema that was released, as SQL; `write_missing` makes the next one.

    python -m tests.storage.tables.released

One database has lived through all of them: each dump is the one before it after its migration,
with rows of the tables that are new.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from storage.tables.database import MIGRATIONS, list_migrations

FOLDER = Path(__file__).parent / "schemas"


def list_schemas() -> dict[int, Path]:
    """Return the dumps by the number of their last migration, in order."""
    return {int(file.stem): file for file in sorted(FOLDER.glob("*.sql"))}


def load_schema(number: int, path: Path | str) -> None:
    """Make the database of a schema."""
    with closing(sqlite3.connect(path)) as database:
        database.executescript(list_schemas()[number].read_text("utf-8"))


def write_missing() -> None:
    """Write the dumps that are missing; add rows of new tables to them by hand."""
    for number, migration in list_migrations(MIGRATIONS).items():
        if number not in list_schemas():
            with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
                database.executescript(list_schemas()[number - 1].read_text("utf-8"))
                database.executescript(f"{migration.read_text('utf-8')};{set_version(number)}")
                dump = "\n".join([*database.iterdump(), set_version(number), ""])
            (FOLDER / f"{number:04}.sql").write_text(dump, "utf-8")
            sys.stdout.write(f"{number:04}.sql was written. Add rows of new tables.\n")


def set_version(number: int) -> str:
    """Return the statement that sets the number of the last migration."""
    return f"PRAGMA user_version = {number};"


if __name__ == "__main__":
    write_missing()
