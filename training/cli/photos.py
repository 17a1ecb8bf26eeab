"""A folder of photos on this machine, checked like a member's, made the photos of a job."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

from storage.errors import UserError
from storage.folders import write_whole
from storage.photos.sandbox import Darkroom

if TYPE_CHECKING:
    from pathlib import Path

    from storage.folders import JobFolder
    from storage.records import CheckedPhoto

MASK = ".mask.png"  #: how the name of a mask beside a photo ends
SKEW = 0.02  #: by which its width by its height may differ from the photo's
BESIDE = frozenset({".txt", ".json", ".caption"})  #: what lies beside photos and is none


class Source(NamedTuple):
    """A photo of the job and where it came from."""

    file: str
    path: Path
    caption: str
    checked: CheckedPhoto  #: without its pixels


def gather(photos: Path, folder: JobFolder, after: int = 0) -> list[Source]:
    """Check the pictures of a folder and put them into a job's, numbered after so many others.

    The first bad one is an error.
    """
    if not photos.is_dir():
        raise UserError("folder_missing", folder=str(photos))
    found = sorted(path for path in photos.iterdir() if path.is_file())
    pictures = [path for path in found if is_picture(path)]
    if not pictures:
        raise UserError("no_photos", name=photos.name)
    return asyncio.run(_check(pictures, folder, after))


async def _check(pictures: list[Path], folder: JobFolder, after: int) -> list[Source]:
    sources: dict[str, Source] = {}
    async with Darkroom() as darkroom:
        for path in pictures:
            checked = await _checked(path, darkroom)
            if checked.digest not in sources:
                name = f"{after + len(sources) + 1:04}.png"
                pixels = await _masked(path, checked, darkroom)
                await asyncio.to_thread(write_whole, folder.photos / name, pixels)
                judged = replace(checked, pixels=b"", preview=b"")
                sources[checked.digest] = Source(name, path, _caption(path), judged)
    return list(sources.values())


def is_picture(path: Path) -> bool:
    """Tell pictures from what lies beside them."""
    name = path.name.lower()
    return not (name.startswith(".") or name.endswith(MASK) or path.suffix.lower() in BESIDE)


async def _checked(path: Path, darkroom: Darkroom) -> CheckedPhoto:
    try:
        return await darkroom.check(await asyncio.to_thread(path.read_bytes))
    except UserError as error:
        raise UserError(error.code, **error.facts | {"file": path.name}) from error


async def _masked(path: Path, photo: CheckedPhoto, darkroom: Darkroom) -> bytes:
    """Give a photo's pixels; the mask beside it, if there is one, as their alpha channel."""
    beside = path.with_name(f"{path.stem}{MASK}")
    if not beside.is_file():
        return photo.pixels
    mask = await _checked(beside, darkroom)
    if abs(mask.width / mask.height - photo.width / photo.height) > SKEW:
        raise UserError("mask_shape", file=beside.name)
    return await asyncio.to_thread(_joined, photo.pixels, mask.pixels)


def _joined(photo: bytes, mask: bytes) -> bytes:
    picture, grey = Image.open(BytesIO(photo)).convert("RGB"), Image.open(BytesIO(mask))
    picture.putalpha(grey.convert("L").resize(picture.size, Image.Resampling.LANCZOS))
    file = BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


def _caption(path: Path) -> str:
    """Read the caption beside a picture, if there is one."""
    beside = path.with_suffix(".txt")
    return " ".join(beside.read_text("utf-8", "replace").split()) if beside.is_file() else ""
