"""Photos of datasets. Equal pictures share one file, named by its digest."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from storage.crops import MIDDLE, FramedBy, Framing
from storage.disk import DISK_FULL_ERRORS
from storage.errors import UserError
from storage.folders import Home
from storage.limits import REPEATS, check_range
from storage.measurements import Examination, PhotoMeasures
from storage.photofiles import read_photo_start, write_photo
from storage.photosets.edits import split_trigger, tidy
from storage.records import CheckedPhoto, Dataset, Photo
from storage.tables.database import Connection, Database, read_row
from storage.tables.datasets import SELECT_TRAINING_JOB
from storage.tables.sealing import COLUMNS, open_found, seal_found
from storage.tables.trash import Trash

MAX_PHOTOS = 1000  #: in a dataset
MAX_CAPTION_CHARS = 500  #: characters of a caption
#: the colour type in a PNG's IHDR chunk (PNG specification, section 11.2.1)
PNG_COLOUR_TYPE_OFFSET, PNG_RGBA = 25, 6
INSERT_PHOTO = """
INSERT INTO photos
  (dataset, owner, contributor, digest, plain_digest, phash, width, height, warnings,
   found_framing, measures, shot, created)
VALUES
  (:dataset, :owner, :contributor, :digest, :plain_digest, :phash, :width, :height, :warnings,
   :framing, :measures, :shot, :now)
RETURNING *
"""
#: the same picture in a dataset, with or without a mask
FIND_TWIN = """
SELECT id FROM photos WHERE dataset = :id AND (digest IN (:digest, :plain)
OR plain_digest = :plain)
"""
SET_MASK = """
UPDATE photos SET digest = :digest, plain_digest = :plain, measures = :measures,
examination = :examination, features = :features WHERE id = :id RETURNING *
"""
KEEP_FILES = "DELETE FROM trash WHERE kind = 'photo' AND key = :digest"
#: registers the files of a picture for cleanup, unless another photo is it, too
DROP_FILES = """
INSERT OR IGNORE INTO trash
SELECT 'photo', :digest WHERE NOT EXISTS (SELECT 1 FROM photos WHERE digest = :digest)
"""
NEWEST_CONSENT = """
SELECT withdrawn FROM consents WHERE member = :member AND dataset IS :dataset
ORDER BY id DESC LIMIT 1
"""
COPY_PHOTO = """
INSERT INTO photos
  (dataset, owner, contributor, digest, plain_digest, phash, width, height, caption, written,
   warnings, found_framing, chosen_framing, repeats, measures, shot, accepted, examination,
   features, created)
SELECT
  :dataset, owner, contributor, digest, plain_digest, phash, width, height, :caption, written,
  warnings, found_framing, chosen_framing, repeats, measures, :shot, accepted, examination,
  features, :now
FROM photos WHERE id = :id RETURNING *
"""
#: an open training that has copies of a dataset's photos
SELECT_STARTED_JOB = f"{SELECT_TRAINING_JOB} AND started IS NOT NULL"


class Photos:
    """The table of photos."""

    def __init__(self, database: Database, trash: Trash, home: Home) -> None:
        self._database, self._trash, self._home = database, trash, home

    async def add(
        self, dataset: Dataset, checked: CheckedPhoto, contributor: int | None = None
    ) -> Photo:
        """Add a checked picture to a dataset; it is its owner's if no contributor is given.

        Raises UserError: "dataset_unknown", "consent_needed" if it was withdrawn meanwhile,
        "photo_twice", "photos_full" or "disk_full".
        """
        member = dataset.owner if contributor is None else contributor
        await self._expect_files(checked.digest)
        async with self._database.transaction() as tx:
            await _check_room(tx, dataset, checked)
            await _check_consent(tx, dataset, member)
            await asyncio.to_thread(self._write_files, checked)
            rows = await tx.execute("SELECT * FROM photos WHERE dataset = :id", id=dataset.id)
            shot = await _join_shots(tx, await asyncio.to_thread(_find_same, checked, rows))
            row = await tx.fetch_one(
                INSERT_PHOTO,
                dataset=dataset.id,
                owner=dataset.owner,
                contributor=member,
                digest=checked.digest,
                plain_digest=checked.plain_digest,
                phash=f"{checked.phash:016x}",
                width=checked.width,
                height=checked.height,
                warnings=json.dumps(checked.warnings),
                measures=seal_found(checked.measures, checked.digest, "measures"),
                shot=shot,
                framing=json.dumps(checked.framing.to_json()),
                now=time.time(),
            )
            await tx.execute(KEEP_FILES, digest=checked.digest)
        return _require_photo(row)

    async def set_mask(self, photo: Photo, joined: CheckedPhoto) -> Photo:
        """Give a photo a mask, or another one, and return it; `joined` is the photo with it.

        Raises UserError "photo_gone" or "disk_full".
        """
        await self._expect_files(joined.digest)
        async with self._database.transaction() as tx:
            sql = "SELECT * FROM photos WHERE id = :id"
            before = _require_photo(await tx.fetch_one(sql, id=photo.id))
            await asyncio.to_thread(self._write_files, joined)
            row = await tx.fetch_one(
                SET_MASK,
                id=photo.id,
                digest=joined.digest,
                plain=joined.plain_digest,
                measures=seal_found(joined.measures, joined.digest, "measures"),
                examination=seal_found(before.examination, joined.digest, "examination"),
                features=seal_found(before.features, joined.digest, "features"),
            )
            masked = _require_photo(row)
            await tx.execute(KEEP_FILES, digest=joined.digest)
            await tx.execute(DROP_FILES, digest=before.digest)
        await self._trash.sweep()
        return masked

    async def _expect_files(self, digest: str) -> None:
        """Register the files of a picture for cleanup, in case we crash before the commit."""
        sql = "INSERT OR IGNORE INTO trash VALUES ('photo', :digest)"
        await self._database.execute(sql, digest=digest)

    async def copy(self, photo_id: int, dataset: Dataset) -> Photo:
        """Have a photo in another dataset of its owner's, too; both share its file.

        Its caption loses the trigger of the dataset that it comes from. What another member has
        contributed stays where that is. Raises UserError: "photo_gone", "photo_twice",
        "photos_full" or "consent_needed".
        """
        async with self._database.transaction() as tx:
            sql = (
                "SELECT p.*, d.trigger FROM photos AS p JOIN datasets AS d ON d.id = p.dataset"
                " WHERE p.id = :id AND p.owner = :owner AND p.contributor = :owner"
            )
            row = await tx.fetch_one(sql, id=photo_id, owner=dataset.owner)
            photo = _require_photo(row)
            await _check_room(tx, dataset, photo)
            await _check_consent(tx, dataset, dataset.owner)
            rows = await tx.execute("SELECT * FROM photos WHERE dataset = :id", id=dataset.id)
            same = await asyncio.to_thread(_find_same, photo, rows)
            caption = split_trigger(photo.caption, row["trigger"] if row else "")[1]
            copied = await tx.fetch_one(
                COPY_PHOTO,
                id=photo_id,
                dataset=dataset.id,
                caption=tidy(caption),
                shot=await _join_shots(tx, same),
                now=time.time(),
            )
        return _require_photo(copied)

    async def list_for(self, dataset: int, owner: int) -> list[Photo]:
        """Return the photos of a member's dataset, oldest first."""
        sql = "SELECT * FROM photos WHERE dataset = :dataset AND owner = :owner ORDER BY id"
        rows = await self._database.execute(sql, dataset=dataset, owner=owner)
        return [photo_from_row(row) for row in rows]

    async def list_elsewhere(self, dataset: int, owner: int) -> dict[str, list[int]]:
        """Return a member's other datasets that have photos of this one, by their digests."""
        sql = (
            "SELECT here.digest, other.dataset FROM photos AS here JOIN photos AS other"
            " ON other.digest = here.digest AND other.owner = :owner AND other.dataset <> :dataset"
            " WHERE here.dataset = :dataset AND here.owner = :owner ORDER BY other.dataset"
        )
        found: dict[str, list[int]] = {}
        for row in await self._database.execute(sql, dataset=dataset, owner=owner):
            found.setdefault(row["digest"], []).append(row["dataset"])
        return found

    async def list_digests(self) -> set[str]:
        """Return the digests of all members' photos."""
        rows = await self._database.execute("SELECT DISTINCT digest FROM photos")
        return {row["digest"] for row in rows}

    def any_transparent(self, photos: Sequence[Photo]) -> bool:
        """Return whether any of these photos is transparent by itself, not by a mask."""
        files = (self._home.photo_file(photo.digest) for photo in photos if not photo.masked)
        return any(map(has_alpha, files))

    async def get(self, photo_id: int, owner: int) -> Photo:
        """Return a member's photo; raise UserError("photo_gone") if it is not theirs."""
        sql = "SELECT * FROM photos WHERE id = :id AND owner = :owner"
        return _require_photo(await self._database.fetch_one(sql, id=photo_id, owner=owner))

    async def remove(self, photo_id: int, member: int) -> None:
        """Delete a photo, and its files if no other photo is the same picture.

        It may be in a member's dataset, or theirs in another's. Raises UserError: "photo_gone", or
        during a training that uses it "photo_busy" or, for another's dataset, "photo_busy_shared".
        """
        async with self._database.transaction() as tx:
            sql = "SELECT * FROM photos WHERE id = :id AND :member IN (owner, contributor)"
            photo = _require_photo(await tx.fetch_one(sql, id=photo_id, member=member))
            if job := await tx.fetch_one(SELECT_STARTED_JOB, dataset=photo.dataset):
                if photo.owner == member:
                    raise UserError("photo_busy", job=job["id"])
                raise UserError("photo_busy_shared", job=job["id"])
            await tx.execute("DELETE FROM photos WHERE id = :id", id=photo_id)
        await self._trash.sweep()

    async def find_unexamined(self) -> str | None:
        """Return the digest of the newest picture that the examiner has not seen, if any."""
        sql = "SELECT digest FROM photos WHERE examination = 'null' ORDER BY id DESC LIMIT 1"
        row = await self._database.fetch_one(sql)
        return None if row is None else str(row["digest"])

    async def set_examination(self, digest: str, found: Examination) -> None:
        """Store what was found in a picture, with all photos that are it."""
        sql = "UPDATE photos SET examination = :found WHERE digest = :digest"
        sealed = seal_found(found, digest, "examination")
        await self._database.execute(sql, digest=digest, found=sealed)

    async def set_features(self, photo_id: int, features: str) -> None:
        """Store what a worker's network sees in a photo, with all photos that are the picture."""
        sql = "SELECT digest FROM photos WHERE id = :id"
        row = await self._database.fetch_one(sql, id=photo_id)
        if row is None:  # it was deleted meanwhile
            return
        digest = str(row["digest"])
        sealed = seal_found(features, digest, "features")
        sql = "UPDATE photos SET features = :sealed WHERE digest = :digest"
        await self._database.execute(sql, digest=digest, sealed=sealed)

    async def accept(self, photo_id: int, owner: int) -> Photo:
        """Keep a photo against advice, and return it; nothing more is said of it then."""
        sql = "UPDATE photos SET accepted = 1 WHERE id = :id AND owner = :owner RETURNING *"
        return _require_photo(await self._database.fetch_one(sql, id=photo_id, owner=owner))

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

    async def set_framing(self, photo_id: int, owner: int, framing: Framing | None) -> Photo:
        """Set what a member wants to be kept of a photo; with None, that is found again.

        Returns the photo as it is then. Raises UserError("photo_gone").
        """
        chosen = framing and json.dumps(replace(framing, by=FramedBy.MEMBER).to_json())
        sql = (
            "UPDATE photos SET chosen_framing = :chosen"
            " WHERE id = :id AND owner = :owner RETURNING *"
        )
        row = await self._database.fetch_one(sql, chosen=chosen, id=photo_id, owner=owner)
        return _require_photo(row)

    async def set_repeats(self, photo_id: int, owner: int, repeats: int) -> Photo:
        """Set how often an epoch shows a photo, beside others.

        Returns the photo as it is then. Raises UserError: "out_of_range" or "photo_gone".
        """
        check_range("repeats", repeats, REPEATS, UserError)
        sql = "UPDATE photos SET repeats = :repeats WHERE id = :id AND owner = :owner RETURNING *"
        row = await self._database.fetch_one(sql, repeats=repeats, id=photo_id, owner=owner)
        return _require_photo(row)

    async def set_found_framing(self, photo_id: int, framing: Framing) -> None:
        """Set what was found to be kept of a photo that was stored before that was looked for."""
        sql = "UPDATE photos SET found_framing = :found WHERE id = :id AND found_framing IS NULL"
        await self._database.execute(sql, found=json.dumps(framing.to_json()), id=photo_id)

    def _write_files(self, checked: CheckedPhoto) -> None:
        """Write pixels and preview, both or neither, unless another photo has written the same."""
        files = {
            self._home.photo_file(checked.digest): checked.pixels,
            self._home.preview_file(checked.digest): checked.preview,
        }
        missing = [path for path in files if not path.exists()]
        try:
            for path in missing:
                write_photo(path, files[path], checked.digest)
        except OSError as error:
            for path in missing:
                path.unlink(missing_ok=True)
            if error.errno in DISK_FULL_ERRORS:
                raise UserError("disk_full") from error
            raise


def has_alpha(picture: Path) -> bool:
    """Return whether a PNG has an alpha channel; False if it is missing."""
    try:
        start = read_photo_start(picture, PNG_COLOUR_TYPE_OFFSET + 1)
        return start[PNG_COLOUR_TYPE_OFFSET:] == bytes([PNG_RGBA])
    except FileNotFoundError:
        return False


def read_framing(text: str | None) -> Framing | None:
    """Return the framing in a column."""
    return None if text is None else Framing.from_json(json.loads(text))


def photo_from_row(row: sqlite3.Row) -> Photo:
    """Return the photo of a row."""
    found, chosen = (read_framing(row[f"{by}_framing"]) for by in ("found", "chosen"))
    measures, examination, features = (
        open_found(row[name], row["digest"], name) for name in COLUMNS
    )
    return read_row(
        Photo,
        row,
        phash=int(row["phash"], 16),
        written=bool(row["written"]),
        framing=chosen or found or MIDDLE,
        found_framing=found or MIDDLE,
        accepted=bool(row["accepted"]),
        warnings=tuple(json.loads(row["warnings"])),
        measures=measures and PhotoMeasures.from_json(measures),
        examination=examination and Examination.from_json(examination),
        features=features or "",
    )


async def _check_room(tx: Connection, dataset: Dataset, checked: CheckedPhoto | Photo) -> None:
    """Raise UserError if a picture is in the dataset already, or has no room there."""
    sql = "SELECT 1 FROM datasets WHERE id = :id AND owner = :owner"
    if await tx.fetch_one(sql, id=dataset.id, owner=dataset.owner) is None:
        raise UserError("dataset_unknown")
    plain = checked.plain_digest or checked.digest
    if twin := await tx.fetch_one(FIND_TWIN, id=dataset.id, digest=checked.digest, plain=plain):
        raise UserError("photo_twice", photo=twin["id"])
    sql = "SELECT count(*) AS stored FROM photos WHERE dataset = :id"
    (counted,) = await tx.execute(sql, id=dataset.id)
    if counted["stored"] >= MAX_PHOTOS:
        raise UserError("photos_full", most=MAX_PHOTOS)


def _find_same(checked: CheckedPhoto | Photo, rows: Sequence[sqlite3.Row]) -> list[Photo]:
    """Return the photos of these rows that are of the same shot as a picture."""
    from storage.photos.sameshot import find_same_shots  # noqa: PLC0415 - numpy, with the first photo

    others = [photo_from_row(row) for row in rows]
    return [others[at] for at in find_same_shots(checked, others)]


async def _check_consent(tx: Connection, dataset: Dataset, member: int) -> None:
    """Raise UserError if a member may not add photos to a dataset, or took their consent back."""
    shared = None if member == dataset.owner else dataset.id
    sql = "SELECT 1 FROM contributors WHERE dataset = :id AND member = :m AND state = 'joined'"
    if shared and not await tx.execute(sql, id=dataset.id, m=member):
        raise UserError("dataset_unknown")
    row = await tx.fetch_one(NEWEST_CONSENT, member=member, dataset=shared)
    if row is not None and row["withdrawn"] is not None:
        raise UserError("consent_needed")


async def _join_shots(tx: Connection, same: Sequence[Photo]) -> int:
    """Return the number of the shot that photos are of, which become one; 0 without photos."""
    shot = min((photo.shot or photo.id for photo in same), default=0)
    for photo in same:
        sql = "UPDATE photos SET shot = :shot WHERE id = :id OR shot = :old AND shot <> 0"
        await tx.execute(sql, shot=shot, id=photo.id, old=photo.shot)
    return shot


def _require_photo(row: sqlite3.Row | None) -> Photo:
    if row is None:
        raise UserError("photo_gone")
    return photo_from_row(row)
