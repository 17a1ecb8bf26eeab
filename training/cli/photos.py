"""Reading a folder of photos on this machine: checked like a member's, put into a job folder."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from storage.errors import UserError
from storage.folders import JobFolder, write_whole
from storage.photos.sandbox import Darkroom
from storage.records import CheckedPhoto

MASK_SUFFIX = ".mask.png"  #: of a mask beside a photo
MAX_ASPECT_DIFFERENCE = 0.02  #: between a mask's width by height and its photo's
SIDECAR_SUFFIXES = frozenset({".txt", ".json", ".caption"})  #: of files beside photos


class FolderPhoto(NamedTuple):
    """A photo of the job folder, and the file it came from."""

    file: str  #: its name in the job folder
    path: Path
    caption: str
    checked: CheckedPhoto  #: without its pixels


def read_photos(photos: Path, folder: JobFolder, after: int = 0) -> list[FolderPhoto]:
    """Check the pictures of a folder and put them into the job folder; duplicates are left out.

    They are numbered from `after` + 1. Raises UserError for the first picture that is not usable,
    and if there is none.
    """
    if not photos.is_dir():
        raise UserError("folder_missing", folder=str(photos))
    files = sorted(path for path in photos.iterdir() if path.is_file())
    pictures = [path for path in files if is_picture(path)]
    if not pictures:
        raise UserError("no_photos", name=photos.name)
    return asyncio.run(_read_photos(pictures, folder, after))


async def _read_photos(pictures: list[Path], folder: JobFolder, after: int) -> list[FolderPhoto]:
    sources: dict[str, FolderPhoto] = {}
    async with Darkroom() as darkroom:
        for path in pictures:
            checked = await _check_photo(path, darkroom)
            if checked.digest not in sources:
                name = f"{after + len(sources) + 1:04}.png"
                pixels = await _add_mask(path, checked, darkroom)
                await asyncio.to_thread(write_whole, folder.photos / name, pixels)
                judged = replace(checked, pixels=b"", preview=b"")
                sources[checked.digest] = FolderPhoto(name, path, _read_caption(path), judged)
    return list(sources.values())


def is_picture(path: Path) -> bool:
    """Return whether a file is a picture, not a mask or a caption."""
    name = path.name.lower()
    return not (
        name.startswith(".")
        or name.endswith(MASK_SUFFIX)
        or path.suffix.lower() in SIDECAR_SUFFIXES
    )


async def _check_photo(path: Path, darkroom: Darkroom) -> CheckedPhoto:
    try:
        return await darkroom.check(await asyncio.to_thread(path.read_bytes))
    except UserError as error:
        raise UserError(error.code, **error.facts | {"file": path.name}) from error


async def _add_mask(path: Path, photo: CheckedPhoto, darkroom: Darkroom) -> bytes:
    """Return a photo's pixels as PNG, with the mask beside it, if any, as alpha channel."""
    beside = path.with_name(f"{path.stem}{MASK_SUFFIX}")
    if not beside.is_file():
        return photo.pixels
    mask = await _check_photo(beside, darkroom)
    if abs(mask.width / mask.height - photo.width / photo.height) > MAX_ASPECT_DIFFERENCE:
        raise UserError("mask_shape", file=beside.name)
    return await asyncio.to_thread(_join_alpha, photo.pixels, mask.pixels)


def _join_alpha(photo: bytes, mask: bytes) -> bytes:
    picture, grey = Image.open(BytesIO(photo)).convert("RGB"), Image.open(BytesIO(mask))
    picture.putalpha(grey.convert("L").resize(picture.size, Image.Resampling.LANCZOS))
    file = BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


def _read_caption(path: Path) -> str:
    """Return the caption beside a picture; "" if there is none."""
    beside = path.with_suffix(".txt")
    return " ".join(beside.read_text("utf-8", "replace").split()) if beside.is_file() else ""
