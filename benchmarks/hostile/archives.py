"""Hostile zips: bombs, lies, links, paths that lead out, and odd ones that are honest."""

from __future__ import annotations

import io
import random
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.hostile.pictures import (
    ACCEPTED,
    EITHER,
    MUTATIONS,
    encode,
    list_honest,
    overwrite,
    scene,
)  # fmt: skip

MIB = 1 << 20
LIST_START, END_START = b"PK\x01\x02", b"PK\x05\x06"
PATHS = (
    "/etc/passwd", "../../a.png", "a/../../b.png", "..", "C:/a.png", "c:a.png", "\\\\host\\a.png",
    "..\\a.png", "//a.png", "a\x1b[2J.png", "a\nb.png",
)  # fmt: skip
ODD_NAMES = (
    "a" * 250 + ".png", "…/…/a.png", "a b/c d.png", "\u202egnp.a.png", "👩‍🦰.png", "con.png",
    "a.png/b.png", "100%.png", "'; DROP TABLE photos.png", "<@1> @everyone.png", "a.tar.png",
    "~/a.png", "$HOME.png", "x" * 60 + "/" + "y" * 60 + "/a.png"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Archive:
    """A zip with what becomes of it: ACCEPTED, the code of its refusal, or EITHER."""

    name: str
    content: bytes
    expected: str = EITHER


def pack(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def make_picture() -> bytes:
    """Return a picture."""
    return encode(scene(), "PNG")


def list_archives() -> Iterator[Archive]:
    """Yield crafted zips."""
    for group in (
        list_odd, list_paths, list_special, list_bombs, list_lies, list_locked, list_nested,
        list_broken, list_texts,
    ):  # fmt: skip
        yield from group()


def list_odd() -> Iterator[Archive]:
    """Yield honest zips of odd names and contents."""
    png = make_picture()
    for honest in list_honest():
        yield Archive(honest.name, pack({f"{honest.name}.png": honest.content}), ACCEPTED)
    for name in ODD_NAMES:
        yield Archive(f"name {ascii(name)[:40]}", pack({name: png}), ACCEPTED)
    yield Archive("stored", pack({"a.png": png}, zipfile.ZIP_STORED), ACCEPTED)
    yield Archive("deep", pack({"/".join("abcdefgh") * 9 + "/a.png": png}), ACCEPTED)
    yield Archive("before", b"#!/bin/sh\n" * 50 + pack({"a.png": png}), "folder_missing")
    yield Archive("behind", pack({"a.png": png}) + bytes(900), ACCEPTED)
    yield Archive("empty", pack({}), "zip_empty")
    yield Archive("folders", pack({"a/": b"", "b/": b""}), "zip_empty")
    yield Archive("texts", pack({"a.txt": b"a dog", "b.csv": b"1"}), "zip_empty")


def list_paths() -> Iterator[Archive]:
    """Yield zips whose files would land elsewhere."""
    png = make_picture()
    for path in PATHS:
        yield Archive(f"path {path!a}", pack({"good.png": png, path: png}), "zip_path")


def list_special() -> Iterator[Archive]:
    """Yield zips with what is no file: links, devices, pipes."""
    for name, kind in (
        ("link", stat.S_IFLNK), ("pipe", stat.S_IFIFO), ("disk", stat.S_IFBLK),
        ("terminal", stat.S_IFCHR), ("socket", stat.S_IFSOCK),
    ):  # fmt: skip
        info = zipfile.ZipInfo("a.png")
        info.external_attr = (kind | 0o777) << 16
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("b.png", make_picture())
            archive.writestr(info, b"/etc/passwd")
        yield Archive(name, file.getvalue(), "zip_links")


def list_bombs() -> Iterator[Archive]:
    """Yield zips that want much disk, memory or time."""
    png, zeros = make_picture(), bytes(14 * MIB)
    yield Archive("bomb", pack({"a.png": png} | dict.fromkeys("bcdef", zeros)), "zip_bomb")
    declared = pack({"a.png": png})
    yield Archive("bomb-declared", declare_size(declared, 0xFFFFFFF0), "zip_bomb")
    many = {f"{number}.txt": b"" for number in range(10_000)}
    yield Archive("many", pack(many | {"a.png": png}), "zip_many")
    entry = pack({"a.png": png})
    head = entry[entry.index(LIST_START) : entry.index(END_START)]
    for count in (30_000, 300_000):
        yield Archive(f"many-{count}", join_list(entry, head * count), "zip_many")
    yield Archive("twice", join_list(entry, head * 2), ACCEPTED)
    yield Archive("overlapping", join_list(entry, head * 4000), ACCEPTED)
    yield Archive("picture-bomb", pack({"a.png": b"\x89PNG\r\n\x1a\n" + zeros}), ACCEPTED)
    heavy = pack({"a.png": b"\x89PNG\r\n\x1a\n" + bytes(26 * MIB)})
    yield Archive("picture-heavy", heavy, ACCEPTED)  # the picture alone is refused
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        yield Archive(f"method-{method}", pack({"a.png": png}, method), "zip_method")
    for method in (9, 14, 93, 95, 99):
        yield Archive(f"method-{method}", declare_method(entry, method), "zip_method")


def list_lies() -> Iterator[Archive]:
    """Yield zips whose list says something else than the files' own heads, or their content."""
    entry = pack({"a.png": make_picture()})
    yield Archive("smaller", declare_size(entry, 40), ACCEPTED)  # the picture alone is refused
    yield Archive("larger", declare_size(entry, 4 * MIB), ACCEPTED)
    packed = pack({"a.png": make_picture() + bytes(20 * MIB)})
    yield Archive("real-bomb", declare_size(packed, 5000), ACCEPTED)
    at = entry.index(LIST_START)
    yield Archive("other-name", overwrite(entry, at + 46, b"b.png"), ACCEPTED)
    yield Archive("sum", overwrite(entry, at + 16, b"\0\0\0\0"), ACCEPTED)
    for offset in (5, 0x7FFFFFFF, 0xFFFFFFFF):
        lied = overwrite(entry, at + 42, struct.pack("<I", offset))
        yield Archive(f"offset-{offset}", lied)
    for version in (100, 255):
        yield Archive(f"version-{version}", overwrite(entry, at + 6, bytes([version])))
    end = entry.index(END_START)
    for count in (0, 2, 0xFFFF):
        lied = overwrite(entry, end + 8, struct.pack("<HH", count, count))
        yield Archive(f"count-{count}", lied, ACCEPTED)
    for size in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF):
        lied = overwrite(entry, end + 12, struct.pack("<I", size))
        yield Archive(f"list-{size}", lied)


def list_locked() -> Iterator[Archive]:
    """Yield zips with a password."""
    entry = pack({"a.png": make_picture()})
    for flags in (0x1, 0x41, 0x2041):
        at = entry.index(LIST_START) + 8
        locked = overwrite(overwrite(entry, at, struct.pack("<H", flags)), 6, bytes([flags & 255]))
        yield Archive(f"locked-{flags}", locked, "zip_encrypted")


def list_nested() -> Iterator[Archive]:
    """Yield archives in a zip, and files that are archives in truth."""
    png = make_picture()
    inner = pack({"a.png": png})
    for name in ("b.zip", "B.ZIP", "b.tar.gz", "b.7z", "b.rar", "b.tgz"):
        yield Archive(f"nested {name}", pack({"a.png": png, f"x/{name}": inner}), "zip_nested")
    yield Archive("npz", pack({"a.png": png, "a.npz": inner}), ACCEPTED)
    yield Archive("disguised", pack({"a.png": png, "b.png": inner}), ACCEPTED)
    yield Archive("nested-alone", pack({"b.zip": inner}), "zip_nested")


def list_broken() -> Iterator[Archive]:
    """Yield zips that end too early, and what only begins like one."""
    entry = pack({f"{number}.png": make_picture() for number in range(3)})
    yield Archive("head", entry[:4], "zip_damaged")
    yield Archive("no-list", entry[: entry.index(LIST_START)], "zip_damaged")
    yield Archive("noise", b"PK\x03\x04" + random.Random(1).randbytes(5000), "zip_damaged")
    yield Archive("zeros", b"PK\x05\x06" + bytes(100), "zip_empty")
    for share in range(1, 10):
        cut = entry[: len(entry) * share // 10]
        yield Archive(f"cut-{share}", cut, "zip_damaged")
    damaged = entry.replace(zlib.compress(b"")[:1], b"\xff")
    yield Archive("packed-badly", overwrite(damaged, 60, bytes(90)))


def list_texts() -> Iterator[Archive]:
    """Yield zips with captions that are hostile or odd."""
    png = make_picture()
    texts = {
        "deep.json": b"[" * 60_000,
        "deep2.json": b'{"caption":' * 5_000,
        "list.json": b'{"tags": [1, null, {}]}',
        "number.json": b'{"caption": 1e999}',
        "long.txt": b"a dog " * 9000,
        "huge.txt": b"a" * (3 * MIB),
        "zeros.txt": bytes(60_000),
        "noise.txt": random.Random(2).randbytes(60_000),
        "marks.txt": "a\u202edog\x1b[31m\0 @everyone".encode(),
        "half.txt": "柴犬が公園".encode("cp932")[:-1],
        "surrogates.txt": b"\xff\xfe\x00\xd8\x00\xd8",
        "odd.caption": b"\xff\xfea",
        "empty.txt": b"",
    }
    for name, content in texts.items():
        stem = name.partition(".")[0]
        yield Archive(f"text {name}", pack({f"{stem}.png": png, name: content}), ACCEPTED)
    lines = {
        "many": b'{"file_name": "a.png", "text": "x"}\n' * 90_000,
        "deep": b"[" * 4_000_000,
        "out": b'{"file_name": "../../../etc/passwd", "text": "x"}\n{"file_name": "/a.png"}',
        "kinds": b'{"file_name": 1}\n{"file_name": null}\n7\nnull\n{"file_name": "\\u0000"}',
        "long": b'{"file_name": "' + b"a/" * 50_000 + b'", "text": "x"}',
    }
    for name, content in lines.items():
        packed = pack({"a.png": png, "metadata.jsonl": content})
        yield Archive(f"metadata {name}", packed, ACCEPTED)


def declare_size(archive: bytes, size: int) -> bytes:
    """Return a zip whose list gives its first file another size."""
    return overwrite(archive, archive.index(LIST_START) + 24, struct.pack("<I", size))


def declare_method(archive: bytes, method: int) -> bytes:
    """Return a zip whose first file is said to be packed in another way."""
    number = struct.pack("<H", method)
    return overwrite(overwrite(archive, archive.index(LIST_START) + 10, number), 8, number)


def join_list(archive: bytes, listed: bytes) -> bytes:
    """Return a zip with another list of files."""
    start, end = archive.index(LIST_START), archive.index(END_START)
    tail = struct.pack("<4s4HIIH", END_START, 0, 0, 9, 9, len(listed), start, 0)
    return archive[:start] + listed + tail + archive[end + 22 :]


def mutate_archives(rng: random.Random) -> Iterator[Archive]:
    """Yield mutations of an honest zip, without end."""
    files = {"a.png": make_picture(), "a.txt": b"a dog", "b/c.png": make_picture()}
    honest = pack(files | {"metadata.jsonl": b'{"file_name": "b/c.png", "text": "x"}'})
    at = honest.index(LIST_START)
    while True:
        mutation: Callable[[random.Random, bytes], bytes] = rng.choice(MUTATIONS)
        if rng.random() < 0.6:  # in the list of files, where most can go wrong
            content = honest[:at] + mutation(rng, honest[at:])
        else:
            content = mutation(rng, honest)
        yield Archive(mutation.__name__, content)
