"""Photos: a row each, the bytes once by digest; every query asks for the owner."""

from __future__ import annotations

import asyncio
import errno
import json
import sqlite3
import time
from typing import TYPE_CHECKING

from storage.errors import UserError
from storage.folders import Home, write_whole
from storage.photos.duplicates import are_near_duplicates
from storage.records import CheckedPhoto, Dataset, Photo
from storage.tables.database import Connection, Database
from storage.tables.trash import Trash

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MAX_PHOTOS = 200  #: photos of one dataset
MAX_CAPTION_CHARS = 500  #: characters of a caption
COLOURS, ALPHA = (
    25,
    6,
)  #: where a PNG tells its colour type, and the one with alpha (section 11.2.1)
DISK_FULL_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  #: no room, or no more of it for us
INSERT_PHOTO = """
INSERT INTO photos (dataset, owner, digest, phash, width, height, warnings, created)
VALUES (:dataset, :owner, :digest, :phash, :width, :height, :warnings, :now) RETURNING *
"""


class Photos:
    """Members' checked pictures with their captions."""

    def __init__(self, database: Database, trash: Trash, home: Home) -> None:
        self._database = database
        self._trash = trash
        self._home = home

    async def add(self, dataset: Dataset, checked: CheckedPhoto) -> Photo:
        """Put a checked picture into a dataset."""
        await self._database.execute(  # if this is not finished, the bytes are nobody's
            "INSERT OR IGNORE INTO trash VALUES ('photo', :digest)", digest=checked.digest
        )
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
            await tx.execute(
                "DELETE FROM trash WHERE kind = 'photo' AND key = :digest", digest=checked.digest
            )
        return _require_photo(row)

    async def list_for(self, dataset: int, owner: int) -> list[Photo]:
        """List the photos of a member's dataset, oldest first."""
        rows = await self._database.execute(
            "SELECT * FROM photos WHERE dataset = :dataset AND owner = :owner ORDER BY id",
            dataset=dataset,
            owner=owner,
        )
        return [photo_from_row(row) for row in rows]

    def any_transparent(self, photos: Sequence[Photo]) -> bool:
        """Tell whether any of these has parts that are see-through."""
        return any(has_alpha(self._home.photo_file(photo.digest)) for photo in photos)

    async def get(self, number: int, owner: int) -> Photo:
        """Return a member's photo."""
        return _require_photo(
            await self._database.fetch_one(
                "SELECT * FROM photos WHERE id = :number AND owner = :owner",
                number=number,
                owner=owner,
            )
        )

    async def remove(self, number: int, owner: int) -> None:
        """Remove a photo, and its bytes where nobody else has the same picture."""
        row = await self._database.fetch_one(
            "DELETE FROM photos WHERE id = :number AND owner = :owner RETURNING *",
            number=number,
            owner=owner,
        )
        _require_photo(row)
        await self._trash.sweep()

    async def set_caption(self, number: int, owner: int, text: str) -> None:
        """Keep what a member wrote under a photo; nothing written leaves it to the captioner."""
        text = " ".join(text.split())
        if len(text) > MAX_CAPTION_CHARS:
            raise UserError("caption_long", length=len(text), most=MAX_CAPTION_CHARS)
        row = await self._database.fetch_one(
            "UPDATE photos SET caption = :text, written = :written"
            " WHERE id = :number AND owner = :owner RETURNING *",
            text=text,
            written=bool(text),
            number=number,
            owner=owner,
        )
        _require_photo(row)

    async def set_generated_caption(self, number: int, text: str) -> None:
        """Keep what a caption job wrote, unless the member has written something."""
        await self._database.execute(
            "UPDATE photos SET caption = :text WHERE id = :number AND NOT written",
            text=" ".join(text.split())[:MAX_CAPTION_CHARS],
            number=number,
        )

    def _write_files(self, checked: CheckedPhoto) -> None:
        """Write the bytes, once for everybody who has the picture."""
        files = {
            self._home.photo_file(checked.digest): checked.pixels,
            self._home.preview_file(checked.digest): checked.preview,
        }
        try:
            for path, content in files.items():
                if not path.exists():
                    write_whole(path, content)
        except OSError as error:
            if error.errno in DISK_FULL_ERRORS:
                raise UserError("disk_full") from error
            raise


def has_alpha(picture: Path) -> bool:
    """Tell whether a kept picture, which is a PNG, has an alpha channel; a lost one has none."""
    try:
        with picture.open("rb") as file:
            return file.read(COLOURS + 1)[COLOURS:] == bytes([ALPHA])
    except FileNotFoundError:
        return False


def photo_from_row(row: sqlite3.Row) -> Photo:
    """Read a photo from its row."""
    return Photo(
        id=row["id"],
        dataset=row["dataset"],
        owner=row["owner"],
        digest=row["digest"],
        phash=int(row["phash"], 16),
        width=row["width"],
        height=row["height"],
        caption=row["caption"],
        warnings=tuple(json.loads(row["warnings"])),
        created=row["created"],
    )


async def _list_photos(tx: Connection, dataset: Dataset) -> list[Photo]:
    known = await tx.fetch_one(
        "SELECT 1 FROM datasets WHERE id = :id AND owner = :owner",
        id=dataset.id,
        owner=dataset.owner,
    )
    if known is None:
        raise UserError("dataset_unknown")
    rows = await tx.execute("SELECT * FROM photos WHERE dataset = :id", id=dataset.id)
    return [photo_from_row(row) for row in rows]


def _check_against(checked: CheckedPhoto, others: list[Photo]) -> list[str]:
    """Return a picture's warnings, or refuse it."""
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
