"""What is known of a picture's content: measured on its pixels, or found by nets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class PhotoMeasures:
    """What was measured on a picture's pixels, as kept; `storage.planning.verdicts` judges it."""

    detail: float  #: share of the width that the finest detail needs: 1 if sharp; 0 is unknown
    bars: tuple[int, int, int, int]  #: pixels of plain borders: left, top, right, bottom
    clean_bars: bool  #: nothing is written on them
    dark: float  #: share of pixels that are nearly black
    bright: float  #: share of the pixels in the middle that are white
    contrast: float  #: standard deviation of the levels, of 255
    thumbnail: str  #: 32x32 grey levels without the bars, base64, to find the same shot
    colours: str  #: 8x8 RGB, base64
    faces: int | None = None  #: large ones; None is not looked for
    transparent: bool = False  #: some of it, so that its ground is not learned

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Self:
        """Return the measures in a JSON object."""
        return cls(**{**facts, "bars": tuple(facts["bars"])})


@dataclass(frozen=True, slots=True)
class FoundText:
    """Text in a picture, and where its middle is, as shares of the sides."""

    text: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Examination:
    """What the nets of the extra `photos` found; None is not looked for."""

    nudity: float | None = None  #: probability
    text: tuple[FoundText, ...] | None = None

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Self:
        """Return the examination in a JSON object."""
        text = facts.get("text")
        found = None if text is None else tuple(FoundText(**each) for each in text)
        return cls(facts.get("nudity"), found)
