"""Zips for members: a copy of all their data, or one dataset as other programs read it."""

from __future__ import annotations

import asyncio
import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from storage.errors import UserError
from storage.photosets.edits import put_trigger
from storage.photosets.pack import PackedPhoto, SetForm, pack_photo, pack_set
from storage.photosets.treatment import Treatment
from storage.records import Dataset, Photo
from storage.store import Store

ENTRY_BYTES = 1024  #: bytes that one more entry takes beside its content


async def export_member(store: Store, member: int, folder: Path, max_bytes: int) -> list[Path]:
    """Write zip files of at most `max_bytes` each and return them; a larger photo stands alone."""
    rows = await store.members.export(member)
    return await asyncio.to_thread(
        write_zips, rows, list(list_photos(store, rows)), folder, max_bytes
    )


def list_photos(store: Store, rows: dict[str, Any]) -> Iterator[tuple[str, Path, bool]]:
    """Yield a member's photos as (name in the zip, path, whether it has a mask)."""
    names = {dataset["id"]: dataset["name"] for dataset in rows["datasets"]}
    for other in rows["contributing"]:  # whose name may be that of one's own
        names[other["dataset"]] = f"{other['name']} ({other['dataset']})"
    for photo in rows["photos"]:
        yield (
            f"photos/{names[photo['dataset']]}/{photo['id']}.png",
            store.home.photo_file(photo["digest"]),
            bool(photo["plain_digest"]),
        )


def write_zips(
    rows: dict[str, Any], files: list[tuple[str, Path, bool]], folder: Path, max_bytes: int
) -> list[Path]:
    """Write the rows and photos into as many zip files as needed, and return the files."""
    listed = json.dumps(rows, ensure_ascii=False, indent=1)
    parts: list[list[tuple[str, Path, bool]]] = [[]]
    room = max_bytes - len(listed.encode()) - ENTRY_BYTES
    for name, path, masked in files:
        size = path.stat().st_size + 2 * ENTRY_BYTES
        if size > room and (parts[-1] or len(parts) == 1):
            parts.append([])
            room = max_bytes
        parts[-1].append((name, path, masked))
        room -= size
    paths = [folder / f"safelight-{number}.zip" for number in range(1, len(parts) + 1)]
    for path, part in zip(paths, parts, strict=True):
        with zipfile.ZipFile(path, "w") as packed:
            if path is paths[0]:
                packed.writestr("safelight.json", listed, zipfile.ZIP_DEFLATED)
            for name, source, masked in part:
                pack_photo(packed, name, source, masked=masked)
    return paths


def list_packed(store: Store, dataset: Dataset, photos: Sequence[Photo]) -> list[PackedPhoto]:
    """Return photos as they are packed: numbered, the trigger in all captions as in training."""
    return [
        PackedPhoto(
            f"{number:03}",
            store.home.photo_file(photo.digest),
            put_trigger(photo.caption, dataset.trigger),
            Treatment(photo.framing, photo.repeats),
            photo.masked,
        )
        for number, photo in enumerate(photos, 1)
    ]


async def list_released(store: Store, dataset: Dataset) -> tuple[list[PackedPhoto], int]:
    """Return the photos that a dataset's owner may export, and how many others keep theirs.

    Raises UserError "dataset_empty" or "export_withheld".
    """
    stored = await store.photos.list_for(dataset.id, dataset.owner)
    released = {dataset.owner, *await store.contributors.list_releasing(dataset.id)}
    photos = [photo for photo in stored if photo.contributor in released]
    if not stored:
        raise UserError("dataset_empty", name=dataset.name)
    if not photos:
        raise UserError("export_withheld", name=dataset.name)
    return list_packed(store, dataset, photos), len(stored) - len(photos)


def pack_dataset(
    dataset: Dataset, photos: Sequence[PackedPhoto], form: SetForm, folder: Path, max_bytes: int
) -> list[Path]:
    """Write a dataset into as many zips as needed, each whole in its form; return the zips."""
    parts: list[list[PackedPhoto]] = [[]]
    room = max_bytes
    for photo in photos:
        size = photo.file.stat().st_size + 3 * ENTRY_BYTES + len(photo.caption.encode())
        if size > room and parts[-1]:
            parts.append([])
            room = max_bytes
        parts[-1].append(photo)
        room -= size
    numbers = [f" {number}" for number in range(1, len(parts) + 1)] if parts[1:] else [""]
    paths = [folder / f"{dataset.name} {form}{number}.zip" for number in numbers]
    for path, part in zip(paths, parts, strict=True):
        pack_set(part, form, dataset.trigger, path)
    return paths
