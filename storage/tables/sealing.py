"""What was found in photos, encrypted in the database as the photos are on the disk.

It holds thumbnails of 32 pixels, and words that can be read in a photo.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import asdict
from typing import Any

from storage.errors import UserError
from storage.folders import Home
from storage.measurements import Examination, PhotoMeasures
from storage.photofiles import PhotoKeys, read_sealed_key, used_keys
from storage.rekey import PLAIN
from storage.tables.database import Database
from storage.tables.diagnosis import open_unchanged
from storage.tables.trash import ADD_TRACES, Trash

COLUMNS = ("measures", "examination", "features")
NOTHING = "null"  #: that nothing was found out yet is no secret, and looked for
SELECT_FOUND = f"""
SELECT id, digest, {", ".join(COLUMNS)} FROM photos
WHERE {" OR ".join(f"{name} <> '{NOTHING}'" for name in COLUMNS)}
"""
UPDATE_FOUND = """
UPDATE photos SET measures = :measures, examination = :examination, features = :features
WHERE id = :id AND digest = :digest
"""


def seal_found(found: PhotoMeasures | Examination | str | None, digest: str, column: str) -> str:
    """Return what was found in a photo as its column has it; an empty text is nothing."""
    text = json.dumps((found or None) if isinstance(found, str) else found and asdict(found))
    return text if text == NOTHING else used_keys().seal(text, digest, column)


def open_found(stored: str, digest: str, column: str) -> Any:
    """Return the JSON in a column; None if it was encrypted with a key that is not here."""
    try:
        return json.loads(used_keys().unseal(stored, digest, column))
    except UserError:  # the photo itself says so
        return None


def count_row_keys(home: Home) -> Counter[str]:
    """Count the photos with something found by the id of its key; `PLAIN` without one."""
    if not home.database_file.exists():
        return Counter()
    with closing(open_unchanged(home.database_file)) as database:
        try:
            rows = database.execute(SELECT_FOUND).fetchall()
        except sqlite3.OperationalError:  # it is of before there were such columns
            return Counter()
    found = ({key_of(each) for each in row[2:] if each != NOTHING} for row in rows)
    return Counter(key for keys in found for key in keys)


def key_of(stored: str) -> str:
    """Return the id of a column's key."""
    return read_sealed_key(stored) or PLAIN


class Sealing:
    """What was found in photos, put under another key."""

    def __init__(self, database: Database, trash: Trash) -> None:
        self._database, self._trash = database, trash

    async def reseal(self, target: PhotoKeys) -> int:
        """Encrypt all that is not under the first key of `target`, and return of how many photos.

        Without keys in `target`, it is decrypted. What was there before leaves no trace in the
        file. Raises UserError "photo_key_missing" or "photo_broken".
        """
        changed = 0
        async with self._database.transaction() as tx:
            for row in await tx.execute(SELECT_FOUND):
                digest, stored = row["digest"], {name: row[name] for name in COLUMNS}
                anew = {name: reseal(stored[name], digest, name, target) for name in COLUMNS}
                if anew != stored:
                    await tx.execute(UPDATE_FOUND, id=row["id"], digest=digest, **anew)
                    changed += 1
            if changed:
                await tx.execute(ADD_TRACES)
        await self._trash.sweep()
        return changed


def reseal(stored: str, digest: str, column: str, target: PhotoKeys) -> str:
    """Return a column under the first key of `target`."""
    if stored == NOTHING or key_of(stored) == target.current:
        return stored
    return target.seal(used_keys().unseal(stored, digest, column), digest, column)
