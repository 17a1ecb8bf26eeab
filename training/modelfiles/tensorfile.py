"""Check a safetensors file without torch: its header against its bytes.

The format (safetensors 0.8): eight bytes with the header's length, the header in JSON, then the
tensors one after another without a gap. Whatever reads such a file begins with `read_header`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, TypeGuard

import numpy as np

MAX_HEADER_BYTES = 100_000_000  #: bytes of a header that the format allows
LENGTH_BYTES = 8  #: bytes in which a file says how long its header is
METADATA = "__metadata__"
BITS = {
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "BOOL": 8, "U8": 8, "I8": 8,
    "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "U16": 16, "I16": 16, "F16": 16, "BF16": 16, "U32": 32, "I32": 32, "F32": 32,
    "U64": 64, "I64": 64, "F64": 64, "C64": 64,
}  # fmt: skip
#: of floating point: the type to read as, and the bits that are all set in infinities and NaN
EXPONENTS: dict[str, tuple[type[np.unsignedinteger[Any]], int]] = {
    "F16": (np.uint16, 0x7C00), "BF16": (np.uint16, 0x7F80), "F32": (np.uint32, 0x7F800000),
    "F64": (np.uint64, 0x7FF0000000000000), "F8_E5M2": (np.uint8, 0x7C),
    "F8_E4M3": (np.uint8, 0x7F),
}  # fmt: skip
#: how files begin that people take for safetensors, and what they are
KINDS = {
    b"\x80": "a pickle (.ckpt, .pt, .bin), a format that can run programs",
    b"PK\x03\x04": "a pickle in a zip (.ckpt, .pt, .bin), a format that can run programs",
    b"GGUF": "a GGUF file",
    b"version https://git-lfs": "a pointer of Git LFS instead of the file itself",
    b"<": "a web page instead of the file itself",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}
MAX_DIMENSIONS = 32
MAX_SHOWN_CHARS = 120  #: of a name in a sentence
READ_BYTES = 1 << 24  #: bytes that are read at a time


class BadFileError(ValueError):
    """A file that cannot be read as safetensors, with the reason as a phrase."""

    def __init__(self, reason: str, *, foreign: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.foreign = reason, foreign  #: foreign: it never was a safetensors file


def read_header(file: Path) -> dict[str, Any]:
    """Return a file's header, checked against the file's size.

    Raises BadFileError, or OSError if the file cannot be read at all.
    """
    if file.exists() and not file.is_file():  # reading a pipe would wait for ever
        raise BadFileError("it is a folder or a device", foreign=True)
    with file.open("rb") as opened:
        size = opened.seek(0, 2)
        opened.seek(0)
        header, end = parse_header(opened, size)
    check_metadata(header.get(METADATA, {}))
    check_layout(header, size - end)
    return header


def parse_header(opened: BinaryIO, size: int) -> tuple[dict[str, Any], int]:
    """Parse the header of an opened file; return it and where it ends, in bytes."""
    start = opened.read(64)
    length = int.from_bytes(start[:LENGTH_BYTES], "little")
    if start[LENGTH_BYTES : LENGTH_BYTES + 1] != b"{":
        raise BadFileError(describe_kind(start), foreign=True)
    if length > MAX_HEADER_BYTES:
        raise BadFileError(f"its header would have {length} bytes; {MAX_HEADER_BYTES} are allowed")
    if LENGTH_BYTES + length > size:
        raise BadFileError("it ends in the middle of its header, like half a download")
    opened.seek(LENGTH_BYTES)
    try:
        header = json.loads(opened.read(length).decode(), object_pairs_hook=to_dict)
    except RecursionError as deep:
        raise BadFileError("its header is nested too deeply") from deep
    except BadFileError:
        raise
    except ValueError as broken:
        raise BadFileError("its header is not JSON") from broken
    return header, LENGTH_BYTES + length


def describe_kind(start: bytes) -> str:
    """Return what a file is that begins so, as a phrase."""
    if not start:
        return "it is empty"
    known = (kind for magic, kind in KINDS.items() if start.startswith(magic))
    return f"it is {next(known, 'some other kind of file')}"


def to_dict(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a dict of what stands in the header, where no name may come twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise BadFileError(f"its header has {shorten(twice)} twice")
    return found


def check_metadata(told: Any) -> None:
    """Raise BadFileError unless metadata is text by text."""
    if not isinstance(told, dict) or not all(isinstance(value, str) for value in told.values()):
        raise BadFileError("its metadata is not text")
    if not all(text.isascii() or is_unicode(text) for pair in told.items() for text in pair):
        raise BadFileError("its metadata is not text")


def is_unicode(text: str) -> bool:
    """Return whether a text can be written: JSON may have half a surrogate pair."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def check_layout(header: dict[str, Any], room: int) -> None:
    """Raise BadFileError unless the tensors fill the room after the header exactly, in bytes."""
    at, before = 0, "the header"
    for begin, end, name in sorted(read_places(header)):
        if begin != at:
            fault = "overlaps" if begin < at else "leaves a gap after"
            raise BadFileError(f"{shorten(name)} {fault} {shorten(before)}")
        at, before = end, name
    if at > room:
        raise BadFileError(f"it ends after {room} of {at} bytes of tensors, like half a download")
    if at < room:
        raise BadFileError(f"{room - at} bytes after its last tensor belong to none")


def read_places(header: dict[str, Any]) -> Iterator[tuple[int, int, str]]:
    """Yield where each tensor lies, from and to which byte, and its name."""
    for name, entry in header.items():
        if name == METADATA:
            continue
        if not is_unicode(name) or not isinstance(entry, dict):
            raise BadFileError(f"{shorten(name)} is not described as a tensor")
        dtype, shape, place = map(entry.get, ("dtype", "shape", "data_offsets"))
        if not isinstance(dtype, str) or dtype not in BITS:
            raise BadFileError(f"{shorten(name)} has the unknown type {shorten(str(dtype))}")
        if not is_count_list(shape) or len(shape) > MAX_DIMENSIONS:
            raise BadFileError(f"{shorten(name)} has no possible shape")
        if not is_count_list(place) or len(place) != 2 or place[0] > place[1]:
            raise BadFileError(f"{shorten(name)} lies nowhere: its offsets are wrong")
        if prod(shape) * BITS[dtype] != (place[1] - place[0]) * 8:
            raise BadFileError(
                f"{shorten(name)} has {place[1] - place[0]} bytes, which don't make the shape"
                f" {shape} of {dtype}"[:200]
            )
        yield place[0], place[1], name


def is_count_list(value: Any) -> TypeGuard[list[int]]:
    """Return whether a value is a list of whole numbers from 0 below 2⁶³."""
    return isinstance(value, list) and all(
        type(each) is int and 0 <= each < 2**63 for each in value
    )


def check_numbers(file: Path, header: dict[str, Any]) -> None:
    """Raise BadFileError for a tensor with an infinite number or one that is none (NaN).

    The whole file is read, some MB at a time.
    """
    with file.open("rb") as opened:
        start = LENGTH_BYTES + int.from_bytes(opened.read(LENGTH_BYTES), "little")
        for begin, end, name in sorted(read_places(header)):
            kind = EXPONENTS.get(header[name]["dtype"])
            opened.seek(start + begin)
            for size in (min(READ_BYTES, end - at) for at in range(begin, end, READ_BYTES)):
                if kind and has_infinite(opened.read(size), *kind):
                    raise BadFileError(f"{shorten(name)} has infinite numbers or NaN")


def has_infinite(content: bytes, kind: type[np.unsignedinteger[Any]], mask: int) -> bool:
    """Return whether the exponent of any number, whose bits `mask` has, is all ones."""
    mask_of_kind = kind(mask)
    return bool(((np.frombuffer(content, kind) & mask_of_kind) == mask_of_kind).any())


def shorten(name: str) -> str:
    """Cut a stranger's name and take out what does not print; kohya's names have 90 letters."""
    cut = name if len(name) <= MAX_SHOWN_CHARS else f"{name[: MAX_SHOWN_CHARS - 1]}…"
    return "".join(letter if letter.isprintable() else "?" for letter in cut)
