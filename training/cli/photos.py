"""Reading photos on this machine: checked like a member's, put into a job folder."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path, PurePath
from typing import NamedTuple

from storage.errors import UserError
from storage.folders import JobFolder, write_whole
from storage.photos.sandbox import Darkroom
from storage.photosets.entries import Entry, check_entry, show_path
from storage.photosets.reader import SetPhoto, open_set
from storage.photosets.treatment import USUAL, Treatment
from storage.records import CheckedPhoto
from storage.tables.photos import has_alpha
from storage.variations import may_mirror
from training.cli.output import tell
from training.recipe.preparation import PhotoFacts

CAPTION_SUFFIX = ".txt"  #: of a caption that is written


class FolderPhoto(NamedTuple):
    """A photo of the job folder, and the file it came from."""

    file: str  #: its name in the job folder
    name: str  #: its path in the folder or zip it came from
    caption: str
    checked: CheckedPhoto  #: without its pixels
    digests: tuple[str, ...] = ()  #: of its pixels and of its mask, if it has one
    transparent: bool = False  #: by itself, not by a mask
    copies: tuple[str, ...] = ()  #: further files with the same pixels, which are left out
    treatment: Treatment = USUAL

    @property
    def masked(self) -> bool:
        """Whether its alpha channel is a mask."""
        return len(self.digests) > 1

    def facts(self) -> PhotoFacts:
        """Return what a recipe is to know of it."""
        told, checked = self.treatment, self.checked
        return PhotoFacts(
            told.framing or checked.framing,
            told.repeats,
            may_mirror(checked.framing, checked.examination),
            checked.digest,
        )


def list_photos(source: Path, stack: ExitStack) -> list[SetPhoto]:
    """Return the photos in a folder or zip, and tell what is to be said of the files beside them.

    They can be read until the stack is closed. Raises UserError.
    """
    found = stack.enter_context(open_set(source))
    for note in found.notes:
        tell(note.code, **note.facts)
    return [*found.photos]


def read_photos(
    photos: Sequence[SetPhoto], folder: JobFolder, after: int = 0
) -> tuple[list[FolderPhoto], int]:
    """Check photos and put them into the job folder; of copies, only the first one.

    They are numbered from `after` + 1. Those that are not usable are told; the number of them is
    returned, too. Raises UserError if none is usable.
    """
    refused: list[UserError] = []
    read = asyncio.run(_read_photos(photos, folder, after, refused))
    if not read:
        raise refused[0]
    for error in refused:
        tell(error.code, **error.facts)
    return read, len(refused)


async def _read_photos(
    photos: Sequence[SetPhoto], folder: JobFolder, after: int, refused: list[UserError]
) -> list[FolderPhoto]:
    sources: dict[str, FolderPhoto] = {}
    async with Darkroom(faces=True) as darkroom:
        for photo in photos:
            try:
                checked = await _check_photo(photo.file, darkroom)
                if known := sources.get(checked.digest):
                    sources[checked.digest] = known._replace(copies=(*known.copies, photo.name))
                    continue
                pixels, mask = await _add_mask(checked, photo, darkroom)
            except UserError as error:
                refused.append(error)
                continue
            name = f"{after + len(sources) + 1:04}.png"
            await asyncio.to_thread(write_whole, folder.photos / name, pixels)
            if "animated" in checked.warnings:
                tell("photo_animated", file=show_path(photo.file.path))
            sources[checked.digest] = FolderPhoto(
                name, photo.name, photo.caption,
                replace(checked, pixels=b"", preview=b""),
                (checked.digest, mask) if mask else (checked.digest,),
                not mask and has_alpha(folder.photos / name),
                treatment=photo.treatment,
            )  # fmt: skip
    return list(sources.values())


def name_captions(photos: Sequence[SetPhoto], *, beside: bool) -> dict[str, str]:
    """Return the name of each photo's caption file: `a.txt`, or `a.png.txt` beside `a.jpg`.

    Where they lie `beside` the photos, a text file that has a photo's caption already is its own;
    `a.png.txt` is read before `a.png.caption`.
    """
    captions: dict[str, str] = {}
    for photo in photos if beside else ():
        found = photo.source.path if photo.source else None
        if found and found.suffix.lower() == CAPTION_SUFFIX:
            captions[photo.name] = str(PurePath(photo.name).with_name(found.name))
        elif found and found.stem == photo.file.path.name:
            captions[photo.name] = photo.name + CAPTION_SUFFIX
    taken = {name.casefold() for name in captions.values()}
    for photo in photos:
        own = [str(PurePath(photo.name).with_suffix(CAPTION_SUFFIX)), photo.name + CAPTION_SUFFIX]
        free = next((each for each in own if each.casefold() not in taken), own[-1])
        captions.setdefault(photo.name, free)
        taken.add(captions[photo.name].casefold())
    return captions


async def _check_photo(file: Entry, darkroom: Darkroom) -> CheckedPhoto:
    try:
        return await check_entry(file, darkroom)
    except UserError as error:
        raise UserError(error.code, **error.facts | {"file": show_path(file.path)}) from error


async def _add_mask(
    checked: CheckedPhoto, photo: SetPhoto, darkroom: Darkroom
) -> tuple[bytes, str]:
    """Return a photo's pixels as PNG, with its mask, if any, as alpha channel; and its digest."""
    if photo.mask is None:
        return checked.pixels, ""
    try:
        mask, name = await _check_photo(photo.mask, darkroom), show_path(photo.mask.path)
        return (await darkroom.join_mask(checked.pixels, mask.pixels, name)).pixels, mask.digest
    except UserError as error:
        facts = error.facts | {"photo": show_path(photo.file.path)}
        raise UserError(error.code, **facts) from error
