"""Reading a folder of photos on this machine: checked like a member's, put into a job folder."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from storage.errors import UserError
from storage.folders import JobFolder, write_whole
from storage.photos.sandbox import Darkroom
from storage.records import CheckedPhoto
from storage.tables.photos import has_alpha
from training.cli.output import tell

CAPTION_SUFFIX = ".txt"  #: of a caption beside a photo
MASK_SUFFIX = ".mask.png"  #: of a mask beside a photo
MAX_ASPECT_DIFFERENCE = 0.02  #: between a mask's width by height and its photo's
SIDECAR_SUFFIXES = frozenset({".txt", ".json", ".caption"})  #: of files beside photos


class FolderPhoto(NamedTuple):
    """A photo of the job folder, and the file it came from."""

    file: str  #: its name in the job folder
    path: Path
    caption: str
    checked: CheckedPhoto  #: without its pixels
    digests: tuple[str, ...] = ()  #: of its pixels and of its mask, if it has one
    transparent: bool = False  #: by itself, not by a mask
    copies: tuple[Path, ...] = ()  #: further files with the same pixels, which are left out


def list_pictures(photos: Path) -> list[Path]:
    """Return the pictures in a folder by name; raise UserError if there is none."""
    if not photos.is_dir():
        raise UserError("folder_missing", folder=str(photos))
    files = sorted(path for path in photos.iterdir() if path.is_file())
    pictures = [path for path in files if is_picture(path)]
    if not pictures:
        raise UserError("no_photos", name=photos.name)
    return pictures


def read_photos(pictures: Sequence[Path], folder: JobFolder, after: int = 0) -> list[FolderPhoto]:
    """Check pictures and put them into the job folder; of copies, only the first one.

    They are numbered from `after` + 1. Raises UserError for the first picture that is not usable.
    """
    return asyncio.run(_read_photos(pictures, folder, after, None))


def read_usable_photos(
    pictures: Sequence[Path], folder: JobFolder
) -> tuple[list[FolderPhoto], int]:
    """Do the same, but tell of pictures that are not usable and go on; return their number, too.

    Raises UserError if none is usable.
    """
    refused: list[UserError] = []
    photos = asyncio.run(_read_photos(pictures, folder, 0, refused))
    if not photos:
        raise refused[0]
    for error in refused:
        tell(error.code, **error.facts)
    return photos, len(refused)


async def _read_photos(
    pictures: Sequence[Path], folder: JobFolder, after: int, refused: list[UserError] | None
) -> list[FolderPhoto]:
    sources: dict[str, FolderPhoto] = {}
    captions, masks = find_beside(pictures, CAPTION_SUFFIX), find_beside(pictures, MASK_SUFFIX)
    async with Darkroom() as darkroom:
        for path in pictures:
            try:
                checked = await _check_photo(path, darkroom)
            except UserError as error:
                if refused is None:
                    raise
                refused.append(error)
                continue
            if known := sources.get(checked.digest):
                sources[checked.digest] = known._replace(copies=(*known.copies, path))
                continue
            name = f"{after + len(sources) + 1:04}.png"
            pixels, mask = await _add_mask(checked, masks.get(path), darkroom)
            await asyncio.to_thread(write_whole, folder.photos / name, pixels)
            sources[checked.digest] = FolderPhoto(
                name, path, _read_caption(captions.get(path)),
                replace(checked, pixels=b"", preview=b""),
                (checked.digest, mask) if mask else (checked.digest,),
                not mask and has_alpha(folder.photos / name),
            )  # fmt: skip
    return list(sources.values())


def find_beside(pictures: Sequence[Path], suffix: str) -> dict[Path, Path]:
    """Return the file with a suffix beside each picture that has one.

    `a.png.txt` belongs to `a.png` alone. `a.txt` belongs to the first of `a.jpg` and `a.png`
    that has none of its own, also where the file system takes A and a for the same.
    """
    found: dict[Path, Path] = {}
    owners: dict[tuple[int, str], Path] = {}
    for picture in pictures:
        for stem in (picture.name, picture.stem):
            beside = picture.with_name(stem + suffix)
            if not beside.is_file():
                continue
            owner = owners.setdefault((beside.stat().st_ino, beside.name.casefold()), picture)
            if owner is picture:
                found[picture] = beside
                break
            tell("beside_shared", file=beside.name, owner=owner.name, other=picture.name,
                 own=picture.name + suffix)  # fmt: skip
    return found


def name_captions(pictures: Iterable[Path]) -> dict[Path, str]:
    """Return the name of each picture's caption file: `a.txt`, or `a.png.txt` beside `a.jpg`."""
    names: dict[Path, str] = {}
    taken: set[str] = set()
    for picture in pictures:
        own = (picture.stem + CAPTION_SUFFIX, picture.name + CAPTION_SUFFIX)
        names[picture] = next((name for name in own if name.casefold() not in taken), own[-1])
        taken.add(names[picture].casefold())
    return names


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


async def _add_mask(
    photo: CheckedPhoto, beside: Path | None, darkroom: Darkroom
) -> tuple[bytes, str]:
    """Return a photo's pixels as PNG, with its mask, if any, as alpha channel; and its digest."""
    if beside is None:
        return photo.pixels, ""
    mask = await _check_photo(beside, darkroom)
    if abs(mask.width / mask.height - photo.width / photo.height) > MAX_ASPECT_DIFFERENCE:
        raise UserError("mask_shape", file=beside.name)
    return await asyncio.to_thread(_join_alpha, photo.pixels, mask.pixels), mask.digest


def _join_alpha(photo: bytes, mask: bytes) -> bytes:
    picture, grey = Image.open(BytesIO(photo)).convert("RGB"), Image.open(BytesIO(mask))
    picture.putalpha(grey.convert("L").resize(picture.size, Image.Resampling.LANCZOS))
    file = BytesIO()
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


def _read_caption(beside: Path | None) -> str:
    """Return the caption in a file, on one line; "" if there is none."""
    return " ".join(beside.read_text("utf-8", "replace").split()) if beside else ""
