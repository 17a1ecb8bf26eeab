"""Photos of datasets. Equal pictures share one file, named by its digest."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from storage.disk import DISK_FULL_ERRORS
from storage.errors import UserError
from storage.folders import Home, write_whole
from storage.photos.duplicates import are_near_duplicates
from storage.records import CheckedPhoto, Dataset, Photo
from storage.tables.database import Connection, Database, read_row
from storage.tables.trash import Trash

MAX_PHOTOS = 200  #: in a dataset
MAX_CAPTION_CHARS = 500  #: characters of a caption
#: the colour type in a PNG's IHDR chunk (PNG specification, section 11.2.1)
PNG_COLOUR_TYPE_OFFSET, PNG_RGBA = 25, 6
INSERT_PHOTO = """
INSERT INTO photos (dataset, owner, digest, phash, width, height, warnings, created)
VALUES (:dataset, :owner, :digest, :phash, :width, :height, :warnings, :now) RETURNING *
"""


class Photos:
    """The table of photos."""

    def __init__(self, database: Database, trash: Trash, home: Home) -> None:
        self._database, self._trash, self._home = database, trash, home

    async def add(self, dataset: Dataset, checked: CheckedPhoto) -> Photo:
        """Add a checked picture to a dataset.

        Raises UserError: "dataset_unknown", "photo_twice", "photos_full" or "disk_full".
        """
        # registers the files for cleanup in case we crash before the commit
        sql = "INSERT OR IGNORE INTO trash VALUES ('photo', :digest)"
        await self._database.execute(sql, digest=checked.digest)
        async with self._database.transaction() as tx:
            others = await _list_photos(tx, dataset)
            warnings = _check_against(checked, others)
            await asyncio.to_thread(self._write_files, checked)
            row = await tx.fetch_one(
                INSERT_PHOTO,
                dataset=dataset.id,
                owner=dataset.owner,
                digest=checked.digest,
                phash=f"{checked.phash:016x}",
                width=checked.width,
                height=checked.height,
                warnings=json.dumps(warnings),
                now=time.time(),
            )
            sql = "DELETE FROM trash WHERE kind = 'photo' AND key = :digest"
            await tx.execute(sql, digest=checked.digest)
        return _require_photo(row)

    async def list_for(self, dataset: int, owner: int) -> list[Photo]:
        """Return the photos of a member's dataset, oldest first."""
        sql = "SELECT * FROM photos WHERE dataset = :dataset AND owner = :owner ORDER BY id"
        rows = await self._database.execute(sql, dataset=dataset, owner=owner)
        return [photo_from_row(row) for row in rows]

    def any_transparent(self, photos: Sequence[Photo]) -> bool:
        """Return whether any of these photos has an alpha channel."""
        return any(has_alpha(self._home.photo_file(photo.digest)) for photo in photos)

    async def get(self, photo_id: int, owner: int) -> Photo:
        """Return a member's photo; raise UserError("photo_gone") if it is not theirs."""
        sql = "SELECT * FROM photos WHERE id = :id AND owner = :owner"
        return _require_photo(await self._database.fetch_one(sql, id=photo_id, owner=owner))

    async def remove(self, photo_id: int, owner: int) -> None:
        """Delete a photo, and its files if no other photo is the same picture."""
        sql = "DELETE FROM photos WHERE id = :id AND owner = :owner RETURNING *"
        row = await self._database.fetch_one(sql, id=photo_id, owner=owner)
        _require_photo(row)
        await self._trash.sweep()

    async def set_caption(self, photo_id: int, owner: int, text: str) -> None:
        """Set a member's own caption; with an empty one, the captioner may set it again."""
        text = " ".join(text.split())
        if len(text) > MAX_CAPTION_CHARS:
            raise UserError("caption_long", length=len(text), most=MAX_CAPTION_CHARS)
        sql = (
            "UPDATE photos SET caption = :text, written = :written"
            " WHERE id = :id AND owner = :owner RETURNING *"
        )
        row = await self._database.fetch_one(
            sql, text=text, written=bool(text), id=photo_id, owner=owner
        )
        _require_photo(row)

    async def set_generated_caption(self, photo_id: int, text: str) -> None:
        """Set the caption of a caption job, unless the member wrote one."""
        sql = "UPDATE photos SET caption = :text WHERE id = :id AND NOT written"
        await self._database.execute(
            sql, text=" ".join(text.split())[:MAX_CAPTION_CHARS], id=photo_id
        )

    def _write_files(self, checked: CheckedPhoto) -> None:
        """Write pixels and preview, both or neither, unless another photo has written the same."""
        files = {
            self._home.photo_file(checked.digest): checked.pixels,
            self._home.preview_file(checked.digest): checked.preview,
        }
        missing = [path for path in files if not path.exists()]
        try:
            for path in missing:
                write_whole(path, files[path])
        except OSError as error:
            for path in missing:
                path.unlink(missing_ok=True)
            if error.errno in DISK_FULL_ERRORS:
                raise UserError("disk_full") from error
            raise


def has_alpha(picture: Path) -> bool:
    """Return whether a PNG has an alpha channel; False if it is missing."""
    try:
        with picture.open("rb") as file:
            return file.read(PNG_COLOUR_TYPE_OFFSET + 1)[PNG_COLOUR_TYPE_OFFSET:] == bytes(
                [PNG_RGBA]
            )
    except FileNotFoundError:
        return False


def photo_from_row(row: sqlite3.Row) -> Photo:
    """Return the photo of a row."""
    warnings = tuple(json.loads(row["warnings"]))
    written = bool(row["written"])
    return read_row(Photo, row, phash=int(row["phash"], 16), written=written, warnings=warnings)


async def _list_photos(tx: Connection, dataset: Dataset) -> list[Photo]:
    sql = "SELECT 1 FROM datasets WHERE id = :id AND owner = :owner"
    known = await tx.fetch_one(sql, id=dataset.id, owner=dataset.owner)
    if known is None:
        raise UserError("dataset_unknown")
    rows = await tx.execute("SELECT * FROM photos WHERE dataset = :id", id=dataset.id)
    return [photo_from_row(row) for row in rows]


def _check_against(checked: CheckedPhoto, others: list[Photo]) -> list[str]:
    """Return the warnings of a picture beside its dataset's others, or raise UserError."""
    for other in others:
        if other.digest == checked.digest:
            raise UserError("photo_twice", photo=other.id)
    if len(others) >= MAX_PHOTOS:
        raise UserError("photos_full", most=MAX_PHOTOS)
    twin = any(are_near_duplicates(other.phash, checked.phash) for other in others)
    return [*checked.warnings, "duplicate"] if twin else list(checked.warnings)


def _require_photo(row: sqlite3.Row | None) -> Photo:
    if row is None:
        raise UserError("photo_gone")
    return photo_from_row(row)
