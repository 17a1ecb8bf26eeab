"""Where people keep the captions of photos, and what stands there.

Beside a photo `a.jpg`: `a.jpg.txt` or `a.txt`, also `.caption` and `.json`, in any case and in
both forms of Unicode. For a whole folder: `metadata.jsonl` (Hugging Face), or an object in
`captions.json` or `meta_cap.json` (kohya). In a name: that of the
photo up to the first underscore (EveryDream2), or that of its folder (kohya, `10_sks dog`).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple

from storage.errors import UserError
from storage.photosets.encodings import decode_texts
from storage.photosets.entries import CONTROL_CHARS, Entry

CAPTION_SUFFIXES = (".txt", ".caption", ".json")  #: the first that is there counts
MAX_CAPTION_BYTES = 1 << 16  #: of a caption's file; a longer one is something else
METADATA_NAME, MAX_METADATA_BYTES = "metadata.jsonl", 4 << 20
OBJECT_NAMES = frozenset({"captions.json", "meta_cap.json"})  #: of an object with all captions
#: fields with a caption, in JSON; the last two are of tags
CAPTION_FIELDS = ("text", "caption", "prompt", "description", "tag_string", "tags")
KOHYA_FOLDER = re.compile(r"(?P<repeats>\d+)_(?P<words>\S.*)")
#: what a caption in a picture's name has, and what names by cameras, phones and screenshots have
WORD, MIN_WORDS, LONG_NUMBER = re.compile(r"[^\W\d_]{2,}"), 2, re.compile(r"\d{3}")

NO_ROW: Mapping[str, Any] = {}

Key = tuple[str, ...]


class Found(NamedTuple):
    """A caption and the file that it came from."""

    text: str
    source: Entry
    encoding: str = ""  #: other than UTF-8
    row: Mapping[str, Any] = NO_ROW  #: of `metadata.jsonl`, with what else it says


class Shared(NamedTuple):
    """A file of the first of two photos, `a.txt` of `a.jpg` and `a.png`."""

    file: Entry
    owner: Entry
    other: Entry


def make_key(path: PurePosixPath) -> Key:
    """Return a path as it is compared: without case, and in one form of Unicode."""
    return tuple(unicodedata.normalize("NFC", part).casefold() for part in path.parts)


def find_beside(
    pictures: Iterable[Entry], others: Iterable[Entry], endings: Sequence[str]
) -> tuple[dict[Entry, Entry], list[Shared]]:
    """Return the file with one of the endings beside each picture that has one.

    `a.png.txt` belongs to `a.png` alone. `a.txt` belongs to the first of `a.jpg` and `a.png` that
    has none of its own; for the others it is returned as shared.
    """
    by_key = {make_key(each.path): each for each in reversed([*others])}
    found: dict[Entry, Entry] = {}
    owners: dict[Entry, Entry] = {}
    shared: list[Shared] = []
    for picture in pictures:
        names = [s + e for s in (picture.path.name, picture.path.stem) for e in endings]
        keys = (make_key(picture.path.with_name(name)) for name in names)
        for beside in (by_key[key] for key in keys if key in by_key):
            owner = owners.setdefault(beside, picture)
            if owner is picture:
                found[picture] = beside
                break
            shared.append(Shared(beside, owner, picture))
    return found, shared


def read_captions(beside: Mapping[Entry, Entry]) -> dict[Entry, Found]:
    """Read the caption of each picture from the file beside it; those without one are left out."""
    sized = {p: f for p, f in beside.items() if f.size <= MAX_CAPTION_BYTES}
    contents = {}
    for picture, file in sized.items():
        with suppress(UserError):  # it is named among the unused
            contents[picture] = file.read(MAX_CAPTION_BYTES)
    captions = {}
    texts = decode_texts([*contents.values()])
    for (picture, file), (text, encoding) in zip(
        ((picture, sized[picture]) for picture in contents), texts, strict=True
    ):
        caption = read_json(text) if file.path.suffix.lower() == ".json" else clean(text)
        if caption is not None:
            captions[picture] = Found(caption, file, encoding)
    return captions


def read_metadata(files: Iterable[Entry]) -> dict[Key, Found]:
    """Return the captions in files for whole folders, by the key of each picture's path."""
    captions: dict[Key, Found] = {}
    for file in files:
        name = make_key(file.path)[-1]
        if name not in {METADATA_NAME, *OBJECT_NAMES} or file.size > MAX_METADATA_BYTES:
            continue
        with suppress(UserError):
            ((text, encoding),) = decode_texts([file.read(MAX_METADATA_BYTES)])
            rows = read_lines(text) if name == METADATA_NAME else read_object(text)
            for picture, caption, row in rows:
                key = make_key(file.path.parent / picture)
                captions.setdefault(key, Found(caption, file, encoding, row))
    return captions


def find_metadata(captions: Mapping[Key, Found], picture: Entry) -> Found | None:
    """Return a picture's caption in a file for its folder, where it may lack its suffix."""
    found = captions.get(make_key(picture.path))
    return found or captions.get(make_key(picture.path.with_suffix("")))


def read_lines(text: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the name of each picture in `metadata.jsonl`, with its caption and its row."""
    for line in text.splitlines():
        with suppress(ValueError, RecursionError):
            row = json.loads(line)
            caption = find_caption(row)
            if isinstance(row, dict) and isinstance(row.get("file_name"), str):
                yield row["file_name"], caption or "", row


def read_object(text: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield the name of each picture in an object with all captions; kohya has whole paths."""
    with suppress(ValueError, RecursionError):
        rows = json.loads(text)
        for name, value in rows.items() if isinstance(rows, dict) else ():
            path = PureWindowsPath(name)  # splits at both slashes, and knows drives
            place = path.name if path.anchor else path.as_posix()
            yield place, find_caption(value) or "", NO_ROW


def read_json(text: str) -> str | None:
    """Return the caption in a JSON file; None if there is none."""
    try:
        return find_caption(json.loads(text))
    except (ValueError, RecursionError):
        return None


def find_caption(value: Any) -> str | None:
    """Return the caption in a value of JSON: a text, or an object with a field for it."""
    if isinstance(value, dict):
        fields = (value[name] for name in CAPTION_FIELDS if value.get(name))
        value = next(fields, None)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        value = ", ".join(value)
    return clean(value) if isinstance(value, str) else None


def caption_in_name(path: PurePosixPath) -> str:
    """Return the caption in a picture's name, as EveryDream2 writes it; "" if there is none."""
    caption, underscore, _ = path.stem.partition("_")
    told = len(WORD.findall(caption)) >= MIN_WORDS and not LONG_NUMBER.search(caption)
    return clean(caption) if underscore and told else ""


def caption_in_folder(name: str) -> str:
    """Return the caption in a folder's name, as kohya writes it; "" if there is none."""
    found = KOHYA_FOLDER.fullmatch(name)
    return clean(found["words"]) if found else ""


def clean(text: str) -> str:
    """Put a caption on one line, in the composed form of Unicode, without control characters."""
    return unicodedata.normalize("NFC", " ".join(CONTROL_CHARS.sub(" ", text).split()))
