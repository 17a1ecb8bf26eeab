"""A corpus of hostile zips: each is read or refused with its sentence, in little memory."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from benchmarks.hostile.archives import ACCEPTED, Archive, list_archives, mutate_archives
from bot import wording
from storage.errors import UserError
from storage.photos.sandbox import MAX_FILE_BYTES
from storage.photosets.reader import open_set
from tests.fakes.memory import measure_growth

MUTATED = 1000
MAX_GROWTH_BYTES = 50 << 20  #: of the process that reads them
REFUSALS = {code for code in wording.errors.ERRORS if code.startswith("zip_")} | {"folder_missing"}


def read_archive(archive: Archive, file: Path) -> str:
    """Return ACCEPTED or the code of the refusal; anything else is raised."""
    file.write_bytes(archive.content)
    try:
        with open_set(file, all_folders=True) as found:
            for photo in found.photos:
                assert len(photo.caption) < 1 << 16
                if photo.file.size <= MAX_FILE_BYTES:
                    read_photo(photo)
    except UserError as refused:
        return refused.code if is_plain(wording.explain_in_shell(refused)) else repr(refused)
    return ACCEPTED


def is_plain(sentence: str) -> bool:
    """Return whether a sentence is short and steers no terminal."""
    return len(sentence) < 500 and sentence.isprintable()


def read_photo(photo) -> None:
    """Read a photo, which may be damaged, and never more than it declares."""
    with suppress(UserError):
        assert len(photo.file.read(photo.file.size)) <= photo.file.size


def read_archives(archives: Sequence[Archive], file: Path) -> list[str]:
    """Return what became of each zip."""
    return [read_archive(archive, file) for archive in archives]


def test_crafted(tmp_path) -> None:
    """Each crafted zip has its outcome; nothing is unpacked anywhere, and memory hardly grows."""
    archives, inside = [*list_archives()], tmp_path / "inside"
    inside.mkdir()

    outcomes, growth = measure_growth(read_archives, archives, inside / "a.zip")

    assert [
        (archive.name, outcome, archive.expected)
        for archive, outcome in zip(archives, outcomes, strict=True)
        if archive.expected not in {"", outcome} or outcome not in REFUSALS | {ACCEPTED}
    ] == []
    assert growth < MAX_GROWTH_BYTES
    assert [path.name for path in (*tmp_path.iterdir(), *inside.iterdir())] == ["inside", "a.zip"]


def test_mutated(tmp_path) -> None:
    """Mutated zips are read or refused; some of both."""
    archives = list(islice(mutate_archives(random.Random(19)), MUTATED))

    outcomes = Counter(read_archives(archives, tmp_path / "a.zip"))

    assert outcomes.keys() <= REFUSALS | {ACCEPTED}
    assert outcomes[ACCEPTED] > MUTATED // 10
    assert outcomes["zip_damaged"] > MUTATED // 10
