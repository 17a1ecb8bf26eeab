"""Photos: a row each, the bytes once by digest; every query asks for the owner."""

from __future__ import annotations

import asyncio
import errno
import json
import sqlite3
import time
from typing import TYPE_CHECKING

from storage.errors import UserError
from storage.folders import Home, write
from storage.photos.duplicates import are_near_duplicates
from storage.records import Checked, Dataset, Photo
from storage.tables.database import Connection, Database
from storage.tables.trash import Trash

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MOST = 200  #: photos of one dataset
LONGEST = 500  #: characters of a caption
COLOURS, ALPHA = (
    25,
    6,
)  #: where a PNG tells its colour type, and the one with alpha (section 11.2.1)
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}  #: no room, or no more of it for us
ADD = """
INSERT INTO photos (dataset, owner, digest, phash, width, height, warnings, created)
VALUES (:dataset, :owner, :digest, :phash, :width, :height, :warnings, :now) RETURNING *
"""


class Photos:
    """Members' checked pictures with their captions."""

    def __init__(self, database: Database, trash: Trash, home: Home) -> None:
        self._database = database
        self._trash = trash
        self._home = home

    async def add(self, dataset: Dataset, checked: Checked) -> Photo:
        """Put a checked picture into a dataset."""
        await self._database.all(  # if this is not finished, the bytes are nobody's
            "INSERT OR IGNORE INTO trash VALUES ('photo', :digest)", digest=checked.digest
        )
        async with self._database.transaction() as tx:
            others = await _others(tx, dataset)
            warnings = _compare(checked, others)
            await asyncio.to_thread(self._keep, checked)
            row = await tx.one(
                ADD,
                dataset=dataset.id,
                owner=dataset.owner,
                digest=checked.digest,
                phash=f"{checked.phash:016x}",
                width=checked.width,
                height=checked.height,
                warnings=json.dumps(warnings),
                now=time.time(),
            )
            await tx.all(
                "DELETE FROM trash WHERE kind = 'photo' AND key = :digest", digest=checked.digest
            )
        return _known(row)

    async def of(self, dataset: int, owner: int) -> list[Photo]:
        """List the photos of a member's dataset, oldest first."""
        rows = await self._database.all(
            "SELECT * FROM photos WHERE dataset = :dataset AND owner = :owner ORDER BY id",
            dataset=dataset,
            owner=owner,
        )
        return [photo(row) for row in rows]

    def shaped(self, photos: Sequence[Photo]) -> bool:
        """Tell whether any of these has parts that are see-through."""
        return any(see_through(self._home.photo(photo.digest)) for photo in photos)

    async def get(self, number: int, owner: int) -> Photo:
        """Return a member's photo."""
        return _known(
            await self._database.one(
                "SELECT * FROM photos WHERE id = :number AND owner = :owner",
                number=number,
                owner=owner,
            )
        )

    async def remove(self, number: int, owner: int) -> None:
        """Remove a photo, and its bytes where nobody else has the same picture."""
        row = await self._database.one(
            "DELETE FROM photos WHERE id = :number AND owner = :owner RETURNING *",
            number=number,
            owner=owner,
        )
        _known(row)
        await self._trash.sweep()

    async def caption(self, number: int, owner: int, text: str) -> None:
        """Keep what a member wrote under a photo; nothing written leaves it to the captioner."""
        text = " ".join(text.split())
        if len(text) > LONGEST:
            raise UserError("caption_long", length=len(text), most=LONGEST)
        row = await self._database.one(
            "UPDATE photos SET caption = :text, written = :written"
            " WHERE id = :number AND owner = :owner RETURNING *",
            text=text,
            written=bool(text),
            number=number,
            owner=owner,
        )
        _known(row)

    async def captioned(self, number: int, text: str) -> None:
        """Keep what a caption job wrote, unless the member has written something."""
        await self._database.all(
            "UPDATE photos SET caption = :text WHERE id = :number AND NOT written",
            text=" ".join(text.split())[:LONGEST],
            number=number,
        )

    def _keep(self, checked: Checked) -> None:
        """Write the bytes, once for everybody who has the picture."""
        files = {
            self._home.photo(checked.digest): checked.pixels,
            self._home.preview(checked.digest): checked.preview,
        }
        try:
            for path, content in files.items():
                if not path.exists():
                    write(path, content)
        except OSError as error:
            if error.errno in FULL:
                raise UserError("disk_full") from error
            raise


def see_through(picture: Path) -> bool:
    """Tell whether a kept picture, which is a PNG, has an alpha channel; a lost one has none."""
    try:
        with picture.open("rb") as file:
            return file.read(COLOURS + 1)[COLOURS:] == bytes([ALPHA])
    except FileNotFoundError:
        return False


def photo(row: sqlite3.Row) -> Photo:
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


async def _others(tx: Connection, dataset: Dataset) -> list[Photo]:
    known = await tx.one(
        "SELECT 1 FROM datasets WHERE id = :id AND owner = :owner",
        id=dataset.id,
        owner=dataset.owner,
    )
    if known is None:
        raise UserError("dataset_unknown")
    rows = await tx.all("SELECT * FROM photos WHERE dataset = :id", id=dataset.id)
    return [photo(row) for row in rows]


def _compare(checked: Checked, others: list[Photo]) -> list[str]:
    """Return a picture's warnings, or refuse it."""
    for other in others:
        if other.digest == checked.digest:
            raise UserError("photo_twice", photo=other.id)
    if len(others) >= MOST:
        raise UserError("photos_full", most=MOST)
    twin = any(are_near_duplicates(other.phash, checked.phash) for other in others)
    return [*checked.warnings, "duplicate"] if twin else list(checked.warnings)


def _known(row: sqlite3.Row | None) -> Photo:
    if row is None:
        raise UserError("photo_gone")
    return photo(row)
