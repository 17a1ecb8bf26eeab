"""Which files belong to the rows of a database."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from storage.backup.manifest import DATABASE
from storage.folders import Home, JobFolder
from storage.records import Kind
from storage.tables.database import BUSY_TIMEOUT_SECONDS
from storage.tables.jobs import job_from_row
from storage.tables.styles import SELECT_STYLES, style_from_row

#: of a job's folder: the log names paths of this machine; a style to sample with is linked anew
LEFT_OUT = {"log.txt", "style.safetensors"}


@dataclass(frozen=True, slots=True)
class Contents:
    """The paths, in the data folder, that a database's rows name."""

    files: frozenset[str]  #: of photos, previews and styles
    folders: frozenset[str]  #: of jobs
    trainings: frozenset[int]  #: ids of those that have not ended

    @classmethod
    def read(cls, database: sqlite3.Connection) -> Contents:
        """Return what the rows name, without jobs whose member has left."""
        home = Home(Path())
        digests = [row[0] for row in database.execute("SELECT DISTINCT digest FROM photos")]
        sql = f"{SELECT_STYLES} WHERE removed IS NULL"
        styles = [style_from_row(row) for row in database.execute(sql)]
        sql = "SELECT * FROM jobs WHERE NOT purge"
        jobs = [job_from_row(row) for row in database.execute(sql)]
        files = (
            *map(home.photo_file, digests),
            *map(home.preview_file, digests),
            *(home.style_file(style.folder, style.name) for style in styles),
        )
        return cls(
            frozenset(path.as_posix() for path in files),
            frozenset(home.job_folder(job.folder).path.as_posix() for job in jobs),
            frozenset(j.id for j in jobs if j.kind is Kind.TRAIN and not j.status.ended),
        )

    def has(self, path: str) -> bool:
        """Return whether a path belongs to a row."""
        run = "/".join(path.split("/")[:2])
        return path == DATABASE or path in self.files or run in self.folders

    def walk(self, home: Path) -> Iterator[tuple[str, Path]]:
        """Yield each file that should be there: its path in the data folder, and on the disk.

        A job's events come before the files that they name.
        """
        for name in sorted(self.files):
            yield name, home / name
        for folder in sorted(self.folders):
            run = home / folder
            kept = JobFolder(run).kept  # is there for some days only, and may be large
            found = {*run.rglob("*")} - {run / name for name in LEFT_OUT} - {*kept.rglob("*")}
            for path in sorted(found, key=lambda path: (path.suffix != ".jsonl", path)):
                if is_kept(path):
                    yield path.relative_to(home).as_posix(), path


def is_kept(path: Path) -> bool:
    """Return whether a path in a job's folder is a whole file that a backup keeps."""
    if path.name.startswith("."):  # `replacing` writes hidden files
        return False
    try:
        return stat.S_ISREG(path.lstat().st_mode)  # a link may lead anywhere
    except FileNotFoundError:
        return False


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database that is there."""
    name = f"file:{quote(str(path.absolute()))}?mode=rw"
    connection = sqlite3.connect(
        name, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, uri=True
    )
    connection.row_factory = sqlite3.Row
    with closing(connection):
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")
        yield connection
