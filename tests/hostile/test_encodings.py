"""A corpus of caption files: text is read as it was meant, and nothing else does harm."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from benchmarks.hostile.encodings import Captions, list_captions
from storage.photosets.reader import open_set
from tests.fakes.memory import measure_growth

MAX_GROWTH_BYTES = 50 << 20  #: of the process that reads them
MAX_SECONDS = 5.0  #: of processor time, for one set
PICTURE = b"\xff\xd8\xff"  #: the beginning of one; it is not opened


def read_captions(captions: Captions, folder: Path) -> list[str]:
    """Return the captions of photos, as they are read from the files beside them."""
    folder.mkdir()
    for at, content in enumerate(captions.contents):
        (folder / f"{at}.jpg").write_bytes(PICTURE)
        (folder / f"{at}.txt").write_bytes(content)
    with open_set(folder) as found:
        return [photo.caption for photo in found.photos]


def read_all(many: Sequence[Captions], place: Path) -> list[tuple[list[str], float]]:
    """Return the captions of each set, and the processor seconds that it took."""
    found = []
    for at, captions in enumerate(many):
        began = time.process_time()
        found.append((read_captions(captions, place / str(at)), time.process_time() - began))
    return found


def is_plain(caption: str) -> bool:
    """Return whether a caption has no sign that steers a terminal or turns text around."""
    kinds = {unicodedata.category(sign) for sign in caption}
    return not kinds & {"Cc", "Cs"} and not set(caption) & {*"\u202a\u202b\u202c\u202d\u202e"}


def test_crafted(tmp_path) -> None:
    """Each text is read in its encoding; what is none gives a plain caption, soon."""
    many = [*list_captions()]

    found, growth = measure_growth(read_all, many, tmp_path)

    assert [
        (captions.name, texts)
        for captions, (texts, _) in zip(many, found, strict=True)
        if captions.texts is not None and tuple(texts) != captions.texts
    ] == []
    assert all(is_plain(text) for texts, _ in found for text in texts)
    assert max(seconds for _, seconds in found) < MAX_SECONDS
    assert growth < MAX_GROWTH_BYTES
