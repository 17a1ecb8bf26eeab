"""A stranger's zip: refused whole if it is made to harm or can't be read; never unpacked to disk.

Sizes hold for what is unpacked: `zipfile` gives back no more of a file than the zip declares.
"""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath

from storage.errors import UserError
from storage.photosets.encodings import decode_texts
from storage.photosets.entries import Entry, show_path

MIB = 1 << 20
MAX_ZIP_FILES = 5000
MAX_LIST_BYTES = MIB  #: of a zip's list of files: 200 for each of them
#: photos are packed already, so an honest zip hardly grows when it is unpacked
MAX_GROWTH, FREE_GROWTH_BYTES = 10, 64 * MIB
METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})  #: others unpack without limits
UTF8_FLAG, ENCRYPTED_FLAGS = 0x800, 0x1 | 0x40
ZIP_START = (b"PK\x03\x04", b"PK\x05\x06")
NESTED = frozenset({".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz"})
#: a path that leads out of a folder, or steers a terminal
FORBIDDEN = re.compile(r"/|[A-Za-z]:|.*[\x00-\x1f]", re.DOTALL)
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError)


class BoundedFile(io.FileIO):
    """A zip's file, whose list of files is not read if it is too long."""

    listed = False  #: the list was read; photos may be longer than that

    def read(self, size: int | None = -1, /) -> bytes:
        """Read bytes; raise UserError("zip_many") rather than read a long list."""
        if not self.listed and size is not None and size > MAX_LIST_BYTES:
            raise UserError("zip_many", most=MAX_ZIP_FILES)
        return super().read(size) or b""


def is_zip(path: Path) -> bool:
    """Return whether a file is a zip, by its first bytes."""
    with path.open("rb") as file:
        return file.read(4) in ZIP_START


@contextmanager
def open_zip(file: BoundedFile) -> Iterator[list[Entry]]:
    """Yield the files in a zip, which is closed at the end; they can be read inside the block.

    Raises UserError "zip_damaged", "zip_many", "zip_bomb", "zip_encrypted", "zip_links",
    "zip_method", "zip_nested" or "zip_path".
    """
    with file:
        try:
            archive = zipfile.ZipFile(file)
        except UNREADABLE as broken:
            raise UserError("zip_damaged") from broken
        file.listed = True
        with archive:
            yield list_members(archive, os.fstat(file.fileno()).st_size)


def list_members(archive: zipfile.ZipFile, packed_bytes: int) -> list[Entry]:
    """Check a zip's list of files and return them, without its folders."""
    infos = archive.infolist()
    if len(infos) > MAX_ZIP_FILES:
        raise UserError("zip_many", most=MAX_ZIP_FILES)
    unpacked_bytes = sum(info.file_size for info in infos)
    if unpacked_bytes > FREE_GROWTH_BYTES + MAX_GROWTH * packed_bytes:
        raise UserError("zip_bomb", megabytes=unpacked_bytes // MIB)
    named = list(zip(infos, read_names(infos), strict=True))
    for info, name in named:
        check_member(info, name)
    return [
        Entry(PurePosixPath(name), info.file_size, partial(read_member, archive, info))
        for info, name in named
        if not name.endswith("/")
    ]


def read_names(infos: list[zipfile.ZipInfo]) -> list[str]:
    """Return the files' names; of those that are not said to be UTF-8, detect the encoding."""
    names = [info.orig_filename for info in infos]
    unknown = [at for at, info in enumerate(infos) if not info.flag_bits & UTF8_FLAG]
    decoded = decode_texts([names[at].encode("cp437") for at in unknown])
    for at, (name, _) in zip(unknown, decoded, strict=True):
        names[at] = name
    return [name.replace("\\", "/") for name in names]


def check_member(info: zipfile.ZipInfo, name: str) -> None:
    """Raise UserError for a file that an honest zip of photos does not have."""
    path, mode = PurePosixPath(name), stat.S_IFMT(info.external_attr >> 16)
    if FORBIDDEN.match(name) or ".." in path.parts:
        raise UserError("zip_path", file=show_path(path))
    if mode not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise UserError("zip_links", file=show_path(path))
    if info.flag_bits & ENCRYPTED_FLAGS:
        raise UserError("zip_encrypted")
    if info.compress_type not in METHODS:
        raise UserError("zip_method", file=show_path(path))
    if path.suffix.lower() in NESTED:
        raise UserError("zip_nested", file=show_path(path))


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, size: int) -> bytes:
    """Return a file's first bytes; raise UserError("photo_damaged") if it can't be unpacked."""
    try:
        with archive.open(info) as file:
            return file.read(min(size, info.file_size))
    except (*UNREADABLE, RuntimeError, OSError) as broken:
        raise UserError("photo_damaged") from broken
