"""Encrypt the photos of a data folder with the first key, or decrypt them without one."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from storage.folders import Home, replacing
from storage.photofiles import DIGEST_BYTES, Header, PhotoKeys, read_header, read_photo

PLAIN = ""  #: in place of a key's id
Moved = dict[tuple[int, int], Path]  #: new files by device and inode of the old ones


def list_photo_files(home: Home) -> Iterator[Path]:
    """Yield every file of a photo: pixels, previews, copies in job folders and the quarantine."""
    inside = ("photos/*/*.png", "previews/*/*.webp", "runs/*/photos/*.png")
    for pattern in (*inside, *(f"quarantine/*/{each}" for each in inside)):
        yield from (path for path in home.path.glob(pattern) if not path.name.startswith("."))


def count_keys(home: Home) -> Counter[str]:
    """Count the files of photos by the id of their key; `PLAIN` for those without one."""
    counted: Counter[str] = Counter()
    for path in list_photo_files(home):
        try:
            counted[key_of(read_header(path))] += 1
        except FileNotFoundError:  # it was deleted meanwhile
            continue
    return counted


def key_of(header: Header | None) -> str:
    """Return the id of a file's key."""
    return header.key if header else PLAIN


def rekey_photos(home: Home, target: PhotoKeys) -> Iterator[Path]:
    """Write every photo anew that is not under the first key of `target`; yield each of these.

    Without keys in `target`, photos are decrypted. They are read with the keys of this process.
    It may run beside the bot; a photo that is deleted meanwhile may come back, so look for rows.
    Raises UserError "photo_key_missing" or "photo_broken".
    """
    moved: Moved = {}
    for path in list_photo_files(home):
        try:
            if rekey_file(path, target, moved):
                yield path
        except FileNotFoundError:  # it was deleted meanwhile
            continue


def rekey_file(path: Path, target: PhotoKeys, moved: Moved) -> bool:
    """Write one photo anew, if need be; a second name of one that was written becomes its link."""
    header, status = read_header(path), path.stat()
    if key_of(header) == target.current:
        return False
    inode = (status.st_dev, status.st_ino)
    with replacing(path) as part:
        if inode in moved:
            os.link(moved[inode], part)
        else:
            content = read_photo(path)
            digest = header.digest if header else find_digest(path, content)
            part.write_bytes(target.encrypt(content, digest))
        path.stat()  # still there
    moved[inode] = path
    return True


def find_digest(path: Path, content: bytes) -> str:
    """Return a photo's digest by its name; a lone copy in a job's folder gets one of its own."""
    named = len(path.stem) == 2 * DIGEST_BYTES
    return path.stem if named else hashlib.sha256(content).hexdigest()
