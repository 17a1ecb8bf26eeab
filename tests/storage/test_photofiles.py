"""Photos on the disk, with keys and without."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

import storage
from storage.errors import UserError
from storage.photofiles import (
    PhotoKeys,
    is_same_photo,
    new_key,
    read_header,
    read_photo,
    read_photo_start,
    using_keys,
    write_photo,
)
from storage.tables.photos import has_alpha

OLD, NEW = new_key(), new_key()
DIGEST, OTHER = "ab" * 32, "cd" * 32
NAMES = re.compile(r"\b(photo_file|preview_file)\(")
READS = re.compile(r"\.read_bytes\b|Image\.open\((path|file)\)|\.open\(\"rb\"\)")
CONTENT = b"\x89PNG pixels that are nobody's business" * 9


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Where a photo is stored."""
    return tmp_path / f"{DIGEST}.png"


def test_encrypted(photo: Path) -> None:
    """With a key nothing of a photo can be read on the disk, and never twice the same is there."""
    with using_keys(PhotoKeys.parse(OLD)):
        write_photo(photo, CONTENT, DIGEST)
        first = photo.read_bytes()
        write_photo(photo, CONTENT, DIGEST)

        assert read_photo(photo) == CONTENT
        assert read_photo_start(photo, 8) == CONTENT[:8]

    assert first != photo.read_bytes()
    assert len(first) == len(CONTENT) + 76
    assert not any(CONTENT[at : at + 8] in first for at in range(len(CONTENT) - 8))
    assert [path.name for path in photo.parent.iterdir()] == [photo.name]


def test_without_keys(photo: Path) -> None:
    """Without a key photos are stored as they are, and stay readable when one is set."""
    write_photo(photo, CONTENT, DIGEST)

    assert photo.read_bytes() == CONTENT
    assert read_header(photo) is None
    with using_keys(PhotoKeys.parse(OLD)):
        assert read_photo(photo) == CONTENT


def test_two_keys(photo: Path) -> None:
    """The first key encrypts and each decrypts; without the right one that is said."""
    with using_keys(PhotoKeys.parse(OLD)):
        write_photo(photo, CONTENT, DIGEST)
    both = PhotoKeys.parse(f" {NEW} , {OLD},")

    with using_keys(both):
        assert read_photo(photo) == CONTENT
        write_photo(photo, CONTENT, DIGEST)
    for keys in (PhotoKeys.parse(OLD), PhotoKeys()):
        with using_keys(keys), pytest.raises(UserError) as refused:
            read_photo(photo)
        assert refused.value.facts == {"key": both.current}
        assert refused.value.code == "photo_key_missing"
    with using_keys(PhotoKeys.parse(NEW)):
        assert read_photo(photo) == CONTENT


@pytest.mark.parametrize("at", [0, 8, 16, 48, 60, -1])
def test_changed(photo: Path, at: int) -> None:
    """A file of which one bit was changed, wherever, gives nothing."""
    with using_keys(PhotoKeys.parse(OLD)):
        write_photo(photo, CONTENT, DIGEST)
        changed = bytearray(photo.read_bytes())
        changed[at] ^= 1
        photo.write_bytes(changed)
        if at == 0:  # it is no encrypted photo any more
            assert read_photo(photo) == bytes(changed)
            return
        with pytest.raises(UserError, match=r"photo_broken|photo_key_missing"):
            read_photo(photo)


def test_exchanged(photo: Path) -> None:
    """A photo that was put in another one's place is not taken for that one."""
    with using_keys(PhotoKeys.parse(OLD)):
        write_photo(photo, CONTENT, DIGEST)
        other = photo.rename(photo.with_stem(OTHER))
        with pytest.raises(UserError, match="photo_broken"):
            read_photo(other)
        copy = other.rename(photo.with_stem("0001"))
        assert read_photo(copy) == CONTENT


@pytest.mark.parametrize(
    "text",
    ["secret", "x" * 44, OLD[:-5], f"{OLD},short"],
    ids=["word", "no key", "short", "second short"],  # keys are random, and names must not be
)
def test_no_keys(text: str) -> None:
    """What is no key is refused without being repeated."""
    with pytest.raises(ValueError, match="32 random bytes") as refused:
        PhotoKeys.parse(text)

    assert text not in str(refused.value)


def test_alpha(photo: Path) -> None:
    """Whether a photo has an alpha channel is told through its encryption."""
    for mode in ("RGBA", "RGB"):
        Image.new(mode, (9, 9)).save(file := BytesIO(), "PNG")
        with using_keys(PhotoKeys.parse(OLD)):
            write_photo(photo, file.getvalue(), DIGEST)
            assert has_alpha(photo) == (mode == "RGBA")


def test_same(tmp_path: Path) -> None:
    """The same photo is known under another key, and another photo is not taken for it."""
    one, two, three = (tmp_path / name for name in ("1", "2", "3"))
    for path, keys, digest in ((one, OLD, DIGEST), (two, NEW, DIGEST), (three, OLD, OTHER)):
        with using_keys(PhotoKeys.parse(keys)):
            write_photo(path, CONTENT, digest)

    assert is_same_photo(one, two)
    assert not is_same_photo(one, three)


def test_one_place() -> None:
    """No module that names photos' files reads them around this one."""
    root, exempt = Path(storage.__file__).parent.parent, {"journey.py", "trash.py", "folders.py"}
    around = [
        path.relative_to(root)
        for package in ("bot", "storage", "training")
        for path in sorted((root / package).rglob("*.py"))
        if path.name not in exempt and "backup" not in path.parts
        if NAMES.search(text := path.read_text("utf-8")) and READS.search(text)
    ]

    assert around == []
