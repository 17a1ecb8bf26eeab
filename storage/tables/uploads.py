"""Files that became photos, known by their digests, so that none has to be sent twice."""

from __future__ import annotations

import json
from collections.abc import Collection

from storage.records import Dataset, Photo
from storage.tables.database import Database
from storage.tables.photos import photo_from_row

ADD_UPLOAD = """
INSERT OR IGNORE INTO uploads SELECT :digest, id FROM photos WHERE id = :photo AND owner = :owner
"""
FIND_UPLOADS = """
SELECT u.digest AS file, p.* FROM photos AS p JOIN uploads AS u ON u.photo = p.id
WHERE p.dataset = :dataset AND p.owner = :owner
AND u.digest IN (SELECT value FROM json_each(:digests))
"""


class Uploads:
    """The table of files that were uploaded; a file is forgotten with its photo."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, digest: str, photo: Photo) -> None:
        """Note that a file, by its SHA-256 in hex, became this photo."""
        await self._database.execute(ADD_UPLOAD, digest=digest, photo=photo.id, owner=photo.owner)

    async def find(self, dataset: Dataset, digests: Collection[str]) -> dict[str, Photo]:
        """Return the photos that some of these files became in a member's dataset."""
        facts = {"dataset": dataset.id, "owner": dataset.owner}
        rows = await self._database.execute(FIND_UPLOADS, digests=json.dumps([*digests]), **facts)
        return {row["file"]: photo_from_row(row) for row in rows}
