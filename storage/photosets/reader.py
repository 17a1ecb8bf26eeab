"""Read a set of photos with captions from a folder or a zip, as other tools leave them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path, PurePosixPath

from storage.errors import UserError
from storage.events import Note
from storage.photos.formats import detect_format
from storage.photosets.archive import BoundedFile, is_zip, open_zip
from storage.photosets.captions import (
    CAPTION_SUFFIXES,
    KOHYA_FOLDER,
    Found,
    Key,
    Shared,
    caption_in_folder,
    caption_in_name,
    find_beside,
    find_metadata,
    read_captions,
    read_metadata,
)
from storage.photosets.entries import Entry, list_folder, show_path, sort_entries
from storage.photosets.masks import MASK_ENDINGS, PICTURE_SUFFIXES, is_mask
from storage.photosets.sealed import SealedZip
from storage.photosets.treatment import USUAL, Treatment, read_kohya_repeats

START_BYTES = 256  #: of a file, by which a picture is known
MAX_NAMES = 20  #: of files, in a note
#: of files that are not opened to see whether they are pictures
OTHER_SUFFIXES = frozenset(
    {*CAPTION_SUFFIXES, ".jsonl", ".csv", ".npz", ".npy", ".db", ".ini", ".mp4", ".mov", ".yaml",
     ".yml", ".toml", ".md", ".log", ".parquet", ".safetensors", ".pt", ".ckpt"}
)  # fmt: skip
#: folders whose pictures are not to be learned: those for prior preservation (kohya), and masks
ASIDE_FOLDERS = frozenset({"reg", "mask", "masks"})


@dataclass(frozen=True, slots=True)
class SetPhoto:
    """A photo of a set; it was not opened yet."""

    file: Entry
    name: str  #: its path in the folder that has all photos of the set
    caption: str = ""
    mask: Entry | None = None
    source: Entry | None = None  #: the file that the caption is from; none if it is from a name
    treatment: Treatment = USUAL


@dataclass(frozen=True, slots=True)
class PhotoSet:
    """Photos with captions, and what is to be said of the files beside them."""

    photos: tuple[SetPhoto, ...]
    notes: tuple[Note, ...]

    @property
    def captioned(self) -> int:
        """The number of photos with a caption."""
        return sum(bool(photo.caption) for photo in self.photos)


@contextmanager
def open_set(source: Path, *, all_folders: bool = False) -> Iterator[PhotoSet]:
    """Yield the photos in a folder, a zip, or a folder in a zip; they can be read in the block.

    Of photos in several folders, kohya's and those that `metadata.jsonl` names belong together;
    `all_folders` takes any. Raises UserError "folder_missing", "no_photos", "zip_empty",
    "folders_many", and what `open_zip` does.
    """
    if source.is_dir():
        yield read_set(source, list_folder(source), all_folders=all_folders)
        return
    zipped = next((each for each in (source, *source.parents) if each.is_file()), None)
    if zipped is None or not is_zip(zipped):
        raise UserError("folder_missing", folder=str(source))
    with open_zip(BoundedFile(zipped)) as members:
        place = PurePosixPath(source.relative_to(zipped).as_posix())
        inside = [
            replace(each, path=each.path.relative_to(place))
            for each in members
            if each.path.is_relative_to(place)
        ]
        yield read_set(source, inside, all_folders=all_folders)


@contextmanager
def open_sealed_set(sealed: SealedZip) -> Iterator[PhotoSet]:
    """Yield the photos in all folders of a sealed zip; they can be read in the block.

    Raises UserError "zip_empty", and what `open_zip` does.
    """
    with open_zip(sealed.open()) as members:
        yield read_set(sealed.path, members, all_folders=True)


def read_set(source: Path, files: Iterable[Entry], *, all_folders: bool) -> PhotoSet:
    """Return the photos among the files of a folder or zip, each with its caption."""
    entries = sort_entries(files)
    metadata = read_metadata(entries)
    pictures = [each for each in entries if is_picture(each)]
    if not pictures:
        raise UserError("no_photos" if source.is_dir() else "zip_empty", name=source.name)
    chosen = choose_pictures(pictures, metadata, all_folders=all_folders)
    if not chosen:
        raise refuse_folders(source, pictures)
    rest = {*entries}.difference(chosen)
    left = Counter(each.path.parent for each in pictures if each in rest)
    others = [each for each in entries if each in rest and each.path.parent not in left]
    beside, shared = find_beside(chosen, others, CAPTION_SUFFIXES)
    masks, shared_masks = find_beside(chosen, others, MASK_ENDINGS)
    captions = read_captions(beside)
    for picture in chosen:
        if picture not in captions and (found := find_metadata(metadata, picture)):
            captions[picture] = found
    named = name_captions(source.name, [each for each in chosen if each not in captions])
    texts = {picture: found.text for picture, found in captions.items()} | named
    used = {*masks.values(), *(found.source for found in captions.values())}
    top = find_common_folder(chosen)
    notes = [
        *tell_shared([*shared, *shared_masks]),
        *tell_encodings(captions.values()),
        *tell_names(named),
        *tell_unused([each for each in others if each not in used], top),
        *tell_folders(source, left),
    ]
    treatments = find_treatments(chosen, metadata)
    sources = {picture: found.source for picture, found in captions.items() if found.text}
    photos = tuple(
        SetPhoto(
            each, str(each.path.relative_to(top)), texts.get(each, ""), masks.get(each),
            sources.get(each), treatments[each],
        )
        for each in chosen
    )  # fmt: skip
    return PhotoSet(photos, tuple(notes))


def find_treatments(
    chosen: Sequence[Entry], metadata: Mapping[Key, Found]
) -> dict[Entry, Treatment]:
    """Return what `metadata.jsonl`, or the name of its folder, says of each picture."""
    by_folder = read_kohya_repeats(chosen)
    found = {each: find_metadata(metadata, each) for each in chosen}
    return {
        each: Treatment.from_row(row.row if row else {})
        if row or each not in by_folder
        else Treatment(repeats=by_folder[each])
        for each, row in found.items()
    }


def is_picture(entry: Entry) -> bool:
    """Return whether a file is a picture, by its name or its first bytes, and not a mask."""
    suffix = entry.path.suffix.lower()
    if suffix in OTHER_SUFFIXES or is_mask(entry.path):
        return False
    if suffix in PICTURE_SUFFIXES:
        return True
    with suppress(UserError, OSError):
        return detect_format(entry.read(START_BYTES)) is not None
    return False


def choose_pictures(
    pictures: Sequence[Entry], metadata: Mapping[Key, Found], *, all_folders: bool
) -> list[Entry]:
    """Return the pictures that belong together; none, if they are those of several folders."""
    photos = [each for each in pictures if not is_aside(each.path)] or pictures
    folders = Counter(each.path.parent for each in photos)
    top = min(folders, key=lambda folder: len(folder.parts))
    if all(folder.is_relative_to(top) for folder in folders):
        return [e for e in photos if e.path.parent == top or find_metadata(metadata, e)]
    together = all(KOHYA_FOLDER.fullmatch(folder.name) for folder in folders)
    if all_folders or together or all(find_metadata(metadata, each) for each in photos):
        return [*photos]
    return []


def refuse_folders(source: Path, pictures: Iterable[Entry]) -> UserError:
    """Return the error that names the folders of which one must be chosen."""
    folders = list_names(dict.fromkeys(each.path.parent for each in pictures))
    return UserError(
        "folders_many", folder=str(source), folders=folders, example=str(source / folders[0])
    )


def find_common_folder(pictures: Iterable[Entry]) -> PurePosixPath:
    """Return the deepest folder that has all these pictures in it."""
    first, *others = (each.path for each in pictures)
    return next(
        folder for folder in first.parents if all(each.is_relative_to(folder) for each in others)
    )


def is_aside(path: PurePosixPath) -> bool:
    """Return whether a picture's folders say that it is not to be learned."""
    return not ASIDE_FOLDERS.isdisjoint(part.casefold() for part in path.parts[:-1])


def name_captions(name: str, pictures: Sequence[Entry]) -> dict[Entry, str]:
    """Return the captions in the names of pictures without another one, or of their folders.

    If fewer than half of the pictures' names have one, those are names and no captions.
    """
    named = {each: text for each in pictures if (text := caption_in_name(each.path))}
    if len(named) * 2 < len(pictures):
        named = {}
    for picture in pictures:
        folder = caption_in_folder(picture.path.parent.name or name.removesuffix(".zip"))
        if folder and picture not in named:
            named[picture] = folder
    return named


def tell_shared(shared: Iterable[Shared]) -> Iterator[Note]:
    """Yield a note for each photo whose caption or mask belongs to another one."""
    for file, owner, other in shared:
        ending = file.path.name[len(owner.path.stem) :]
        facts = {"file": file.path.name, "owner": owner.path.name, "other": other.path.name}
        yield Note("beside_shared", facts | {"own": other.path.name + ending})


def tell_encodings(captions: Iterable[Found]) -> Iterator[Note]:
    """Yield a note for each encoding other than UTF-8."""
    for encoding, count in Counter(each.encoding for each in captions if each.encoding).items():
        yield Note("captions_decoded", {"count": count, "encoding": encoding})


def tell_names(named: Mapping[Entry, str]) -> Iterator[Note]:
    """Yield a note if captions were taken from names."""
    if named:
        first = next(iter(named.values()))
        yield Note("captions_named", {"count": len(named), "caption": first})


def tell_unused(unused: Sequence[Entry], top: PurePosixPath) -> Iterator[Note]:
    """Yield a note of masks without photos, and one of other files that were not used."""
    masks = [e for e in unused if is_mask(e.path) and e.path.suffix.lower() in PICTURE_SUFFIXES]
    others = [each for each in unused if each not in masks]
    if masks:
        yield Note("masks_orphaned", {"count": len(masks), "files": name_files(masks, top)})
    if others:
        yield Note("files_unused", {"count": len(others), "files": name_files(others, top)})


def name_files(files: Iterable[Entry], top: PurePosixPath) -> list[str]:
    """Return files as they are named in the photos' folder."""
    paths = (each.path for each in files)
    return list_names(p.relative_to(top) if p.is_relative_to(top) else p for p in paths)


def tell_folders(source: Path, left: Mapping[PurePosixPath, int]) -> Iterator[Note]:
    """Yield a note of sub-folders with pictures that were not taken."""
    if left:
        names = list_names(left)
        facts = {"count": len(left), "folders": names, "pictures": sum(left.values())}
        yield Note("folders_left", facts | {"example": str(source / names[0])})


def list_names(paths: Iterable[PurePosixPath]) -> list[str]:
    """Return the first of some paths as they are named in a sentence."""
    return [show_path(path) for path in islice(paths, MAX_NAMES)]
