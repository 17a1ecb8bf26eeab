"""A zip that waits on the disk to be read."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path

import pytest

from storage.errors import UserError
from storage.photosets.reader import open_sealed_set
from storage.photosets.sealed import sealing_zip

PLACE = b"GPS 52.5163 N, 13.3777 E"


def make_zip() -> bytes:
    """Return a zip, not compressed, of two files that say where they were taken."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("a.jpg", "b.jpg"):
            rest = random.Random(name).randbytes(50_000)
            archive.writestr(name, b"\xff\xd8\xff\xe1" + PLACE + rest)
    return packed.getvalue()


def test_sealed(tmp_path: Path) -> None:
    """Nothing of it is on the disk in the clear, all of it can be read, and it is gone after."""
    content = make_zip()
    with sealing_zip(tmp_path / "exports") as sealed:
        for start in range(0, len(content), 4097):
            sealed.write(content[start : start + 4097])
        with open_sealed_set(sealed) as found:
            read = [photo.file.read(photo.file.size) for photo in found.photos]
            stored = sealed.path.read_bytes()

    assert PLACE in content
    assert [PLACE in each for each in read] == [True, True]
    assert len(stored) == len(content)
    assert not any(stored[at : at + 16] in content for at in range(0, len(stored), 16))
    assert list((tmp_path / "exports").iterdir()) == []


def test_anywhere(tmp_path: Path) -> None:
    """It is read at any place, in pieces of any length."""
    content = make_zip()
    with sealing_zip(tmp_path) as sealed:
        sealed.write(content)
        with sealed.open() as file:
            for at, length in (
                (0, 10),
                (15, 1),
                (16, 16),
                (17, 40),
                (99_999, 5),
                (len(content), 3),
            ):
                file.seek(at)
                assert file.read(length) == content[at : at + length]


def test_no_zip(tmp_path: Path) -> None:
    """A file that is no zip is refused as one."""
    with sealing_zip(tmp_path) as sealed:
        sealed.write(b"GIF89a")
        with pytest.raises(UserError, match="zip_damaged"), open_sealed_set(sealed):
            pass
