"""Look at a data folder without changing anything in it, for the doctor."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from storage.folders import Home
from storage.homefolder import any_data, check_not_empty, check_parent, explaining_closed
from storage.tables.database import (
    BUSY_TIMEOUT_SECONDS,
    check_version,
    damaged,
    explaining,
    newest_migration,
)
from storage.tables.orphans import list_files

COUNT_OPEN = "SELECT count(*) FROM jobs WHERE status IN ('queued', 'running', 'paused')"


@dataclass(frozen=True, slots=True)
class Quarantine:
    """What belongs to no row of the database, and since which day it has lain there."""

    jobs: int
    styles: int
    photos: int
    since: str  #: the oldest day, as 2026-11-30


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A data folder that can be used."""

    version: int  #: number of the database's last migration; 0 if there is no database yet
    newest: int  #: that this version of Safelight has
    open_jobs: int
    left_alone: bool  #: there are photos, styles or jobs, but no database
    quarantine: Quarantine | None


def diagnose(home: Home) -> Diagnosis:
    """Read all of the database; raise the UserError with which a process would not start."""
    check_parent(home)
    version, jobs, file = 0, 0, home.database_file
    newest = newest_migration()
    with explaining_closed(home):
        check_not_empty(home)
        filled = any_data(home)
    if file.exists():
        with explaining(file), closing(open_unchanged(file)) as database:
            if (problem := read_value(database, "PRAGMA quick_check(1)")) != "ok":
                raise damaged(file, problem)
            version = int(read_value(database, "PRAGMA user_version"))
            check_version(version, newest)
            jobs = int(read_value(database, COUNT_OPEN)) if version else 0
    return Diagnosis(version, newest, jobs, filled and not version, find_quarantined(home))


def open_unchanged(file: Path) -> sqlite3.Connection:
    """Open a database to read; SQLite would leave files beside one that no process has open."""
    log = file.with_name(f"{file.name}-wal")
    mode = "mode=ro" if log.exists() else "mode=ro&immutable=1"
    name = f"file:{quote(str(file.absolute()))}?{mode}"
    return sqlite3.connect(name, uri=True, timeout=BUSY_TIMEOUT_SECONDS)


def read_value(database: sqlite3.Connection, sql: str) -> str | int:
    """Return the first column of the first row."""
    value: str | int = database.execute(sql).fetchone()[0]
    return value


def find_quarantined(home: Home) -> Quarantine | None:
    """Return what is in quarantine; None if nothing is."""
    days = [day for day in list_files(home.quarantine) if any(list_files(day))]
    jobs, styles = (
        sum(len([*list_files(day / kind)]) for day in days) for kind in ("runs", "styles")
    )
    photos = sum(len([*day.glob("photos/*/[!.]*")]) for day in days)
    if not jobs + styles + photos:
        return None
    return Quarantine(jobs, styles, photos, min(day.name for day in days))
