"""Pack photos with captions into a zip, in one of the forms that other tools read."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import count
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from storage.photofiles import read_photo
from storage.photos.masks import split_mask
from storage.photosets.captions import METADATA_NAME, caption_in_name
from storage.photosets.treatment import USUAL, Treatment

#: with which kohya repeats photos in an epoch: 200 to 400 in hollowstrawberry/kohya-colab
PHOTOS_PER_EPOCH = 200
MAX_NAME_BYTES = 200  #: of a caption in a file's name; file systems allow 255
#: what no file's name may have on some system
FORBIDDEN_IN_NAMES = re.compile(r'[<>:"/\\|?*\x00-\x1f]|^[. ]|[. ]$')

Files = Iterator[tuple[str, Path | str]]  #: names in the zip; a file to copy, or text


class SetForm(StrEnum):
    """How the photos and captions of a set are laid out."""

    PLAIN = "plain"  #: a.png, a.txt
    KOHYA = "kohya"  #: 10_mydog/a.png, 10_mydog/a.txt
    EVERYDREAM = "everydream"  #: a dog on grass_1.png
    HUB = "hub"  #: a.png, and metadata.jsonl: an image folder of Hugging Face


class PackedPhoto(NamedTuple):
    """A photo to pack."""

    stem: str  #: of its name in the zip
    file: Path  #: a PNG
    caption: str
    treatment: Treatment = USUAL
    masked: bool = False  #: its alpha channel is a mask


def pack_set(photos: Sequence[PackedPhoto], form: SetForm, trigger: str, target: Path) -> None:
    """Write photos into a zip; kohya's folder has the trigger in its name.

    Plain files have masks beside them; other tools would take those for photos.
    """
    photos = number_stems(photos)
    beside = form is SetForm.PLAIN
    masked = {photo.file for photo in photos if beside and photo.masked}
    with zipfile.ZipFile(target, "w", strict_timestamps=False) as packed:
        for name, content in list_files(photos, form, trigger):
            if isinstance(content, Path):
                pack_photo(packed, name, content, masked=content in masked)
            else:
                packed.writestr(name, content, zipfile.ZIP_DEFLATED)


def pack_photo(packed: zipfile.ZipFile, name: str, file: Path, *, masked: bool) -> None:
    """Put a PNG, which is compressed already, into a zip; its mask, if any, beside it."""
    pixels = read_photo(file)
    if masked:
        pixels, mask = split_mask(pixels)
        packed.writestr(f"{name.removesuffix('.png')}.mask.png", mask)
    packed.writestr(name, pixels)


def number_stems(photos: Iterable[PackedPhoto]) -> list[PackedPhoto]:
    """Put a number behind names that are there already, also where A and a are the same."""
    taken: set[str] = set()
    named = []
    for photo in photos:
        numbered = (f"{photo.stem}-{number}" for number in count(2))
        stem = photo.stem
        while stem.casefold() in taken:
            stem = next(numbered)
        taken.add(stem.casefold())
        named.append(photo._replace(stem=stem))
    return named


def list_files(photos: Sequence[PackedPhoto], form: SetForm, trigger: str) -> Files:
    """Return the files of a set in a form."""
    match form:
        case SetForm.KOHYA:
            return list_kohya(photos, clean_folder(trigger))
        case SetForm.EVERYDREAM:
            return list_everydream(photos)
        case SetForm.HUB:
            return list_hub(photos)
    return list_plain(photos)


def clean_folder(trigger: str) -> str:
    """Return a trigger as a folder's name can have it."""
    return " ".join(FORBIDDEN_IN_NAMES.sub(" ", trigger.replace("..", " ")).split()) or "photos"


def list_plain(photos: Iterable[PackedPhoto], folder: str = "") -> Files:
    """Yield photos, each with a text file beside it, if it has a caption."""
    for photo in photos:
        yield f"{folder}{photo.stem}.png", photo.file
        if photo.caption:
            yield f"{folder}{photo.stem}.txt", photo.caption + "\n"


def list_kohya(photos: Sequence[PackedPhoto], name: str) -> Files:
    """Yield photos in a folder whose name says how often they are repeated in an epoch."""
    usual = max(1, PHOTOS_PER_EPOCH // max(1, sum(each.treatment.repeats for each in photos)))
    for photo in photos:
        yield from list_plain([photo], f"{usual * photo.treatment.repeats}_{name}/")


def list_everydream(photos: Sequence[PackedPhoto]) -> Files:
    """Yield photos named by their captions; a caption that is no name stands in a file beside."""
    named = {at for at, photo in enumerate(photos) if fits_name(photo.caption)}
    if len(named) < sum(not photo.caption for photo in photos):
        named = set()  # the others' names would be taken for names, and these, too
    for at, photo in enumerate(photos):
        if at in named:
            yield f"{photo.caption}_{at + 1:04}.png", photo.file
        else:
            yield from list_plain([photo])


def fits_name(caption: str) -> bool:
    """Return whether a file's name can have a caption, and gives it back."""
    if FORBIDDEN_IN_NAMES.search(caption) or len(caption.encode()) > MAX_NAME_BYTES:
        return False
    return caption != "" and caption_in_name(PurePosixPath(f"{caption}_1.png")) == caption


def list_hub(photos: Sequence[PackedPhoto]) -> Files:
    """Yield photos and one file with the captions of all, and what else is told of them."""
    rows = [
        {"file_name": f"{each.stem}.png", "text": each.caption} | each.treatment.to_row()
        for each in photos
    ]
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    yield METADATA_NAME, "".join(lines)
    for photo in photos:
        yield f"{photo.stem}.png", photo.file
