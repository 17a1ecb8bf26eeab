"""Databases of every schema that was released: `load_schema` makes one.

    python -m tests.storage.tables.released

One database has lived through all of them. `schemas/0001.sql` is its dump at the first schema;
each later file has the rows that were added after the migration of its number, to tables that
were new. `schemas/SHA256SUMS` has a digest of each migration; the command adds those of new ones.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from storage.tables.database import MIGRATIONS, list_migrations

FOLDER = Path(__file__).parent / "schemas"
DIGESTS = FOLDER / "SHA256SUMS"


def load_schema(number: int, path: Path | str) -> None:
    """Make the database of a schema."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for each, migration in list_migrations(MIGRATIONS).items():
            if each > number:
                break
            if each > 1:  # the first dump has its tables
                database.executescript(migration.read_text("utf-8"))
            rows = FOLDER / f"{each:04}.sql"
            if rows.exists():
                database.executescript(rows.read_text("utf-8"))
            database.execute(f"PRAGMA user_version = {each}")


def list_digests() -> dict[str, str]:
    """Return the digests of the migrations that were released, by their names."""
    rows = (line.split() for line in DIGESTS.read_text("utf-8").splitlines())
    return {name: digest for digest, name in rows}


def digest_migrations() -> dict[str, str]:
    """Return the digests of the migrations as they are, by their names."""
    migrations = list_migrations(MIGRATIONS).values()
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in migrations}


def add_digests() -> None:
    """Add the digests of new migrations."""
    known = digest_migrations() | list_digests()
    lines = (f"{digest}  {name}\n" for name, digest in sorted(known.items()))
    DIGESTS.write_text("".join(lines), "utf-8")


if __name__ == "__main__":
    add_digests()
