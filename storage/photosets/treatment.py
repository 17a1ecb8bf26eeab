"""What is told of a photo beside its caption: what to keep of it, and how often to show it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from storage.crops import FramedBy, Framing
from storage.limits import REPEATS
from storage.photosets.captions import KOHYA_FOLDER
from storage.photosets.entries import Entry


class Treatment(NamedTuple):
    """What a person has told of a photo."""

    framing: Framing | None = None  #: None: nobody has chosen
    repeats: int = 1  #: in an epoch (kohya: repeats)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Treatment:
        """Read it from a row of `metadata.jsonl`; what makes no sense there is left out."""
        told = cls()
        with suppress(KeyError, TypeError, ValueError):
            framing = Framing.from_json(row["framing"] | {"by": FramedBy.MEMBER})
            told = told._replace(framing=framing)
        with suppress(KeyError, TypeError, ValueError, OverflowError):
            told = told._replace(repeats=limit_repeats(row["repeats"]))
        return told

    def to_row(self) -> dict[str, Any]:
        """Return what `metadata.jsonl` says of it: nothing of a photo like any other."""
        row: dict[str, Any] = {}
        if self.framing and self.framing.by is FramedBy.MEMBER:
            place = self.framing.to_json()
            row["framing"] = {name: place[name] for name in ("x", "y", "whole")}
        return row | ({"repeats": self.repeats} if self.repeats > 1 else {})


USUAL = Treatment()


def limit_repeats(repeats: float) -> int:
    """Return repeats within their limits."""
    return int(min(max(round(repeats), REPEATS[0]), REPEATS[1]))


def read_kohya_repeats(pictures: Iterable[Entry]) -> dict[Entry, int]:
    """Return how often pictures are repeated by the names of their folders, `20_sks dog`.

    What counts is how the folders compare: the least repeated ones are shown once.
    """
    found = {each: KOHYA_FOLDER.fullmatch(each.path.parent.name) for each in pictures}
    repeats = {each: max(1, int(match["repeats"][:9])) for each, match in found.items() if match}
    least = min(repeats.values(), default=1)
    return {each: limit_repeats(count / least) for each, count in repeats.items()}
