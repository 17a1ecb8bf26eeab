"""What somebody wants to teach and from what, as the advisor weighs it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING, Protocol

from storage.photos.duplicates import are_near_duplicates
from storage.records import Concept

if TYPE_CHECKING:
    from collections.abc import Iterable


class SubjectMatter(StrEnum):
    """What photos show. It says how real the pictures must look, and which base knows it best."""

    ANIMAL = "animal"
    PERSON = "person"
    THING = "thing"
    FIGURE = "figure"  #: somebody drawn
    DRAWING = "drawing"  #: a manner of drawing or painting
    ANIME = "anime"
    PHOTOGRAPHY = "photography"  #: a photographic look
    EMOJI = "emoji"


#: What is asked, by the concept; the first is assumed until somebody says otherwise.
SUBJECT_MATTERS = {
    Concept.SUBJECT: (
        SubjectMatter.ANIMAL,
        SubjectMatter.PERSON,
        SubjectMatter.THING,
        SubjectMatter.FIGURE,
        SubjectMatter.EMOJI,
    ),
    Concept.LOOK: (
        SubjectMatter.DRAWING,
        SubjectMatter.ANIME,
        SubjectMatter.PHOTOGRAPHY,
        SubjectMatter.EMOJI,
    ),
}

BESIDE = frozenset({"dreambooth"})  #: methods that learn a subject beside its class, by name
#: What it is in a word, for those methods.
CLASS_WORDS = {
    SubjectMatter.ANIMAL: "animal",
    SubjectMatter.PERSON: "person",
    SubjectMatter.THING: "thing",
    SubjectMatter.FIGURE: "character",
    SubjectMatter.DRAWING: "drawing",
    SubjectMatter.ANIME: "drawing",
    SubjectMatter.PHOTOGRAPHY: "photo",
    SubjectMatter.EMOJI: "emoji",
}


class PhotoQuality(Protocol):
    """What is known of a photo."""

    @property
    def phash(self) -> int: ...  # noqa: D102
    @property
    def width(self) -> int: ...  # noqa: D102
    @property
    def height(self) -> int: ...  # noqa: D102
    @property
    def warnings(self) -> tuple[str, ...]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class AdviceInput:
    """What somebody wants to teach, and from what."""

    concept: Concept
    subject_matter: SubjectMatter
    distinct_photos: int  #: that are sharp and differ from each other
    total_photos: int  #: all of them
    median_side: int = 0  #: median of their shorter sides, pixels; 0 is unknown
    concepts: int = 1  #: things to be taught in one run
    commercial: bool = False  #: whether money shall be earned with it
    large_file_ok: bool = True  #: whether a file of gigabytes can be handed over
    max_minutes: int = 0  #: that it may take; 0 is any

    @classmethod
    def from_photos(
        cls,
        photos: Iterable[PhotoQuality],
        concept: Concept,
        subject_matter: SubjectMatter | None = None,
        **more: int,
    ) -> AdviceInput:
        """Judge photos; `more` are other fields. Without a motif, the concept's first is meant."""
        listed = list(photos)
        seen: list[int] = []
        for photo in listed:
            if "blurred" not in photo.warnings and not any(
                are_near_duplicates(photo.phash, p) for p in seen
            ):
                seen.append(photo.phash)
        sides = [min(photo.width, photo.height) for photo in listed]
        side = int(median(sides)) if sides else 0
        return cls(
            concept, subject_matter or SUBJECT_MATTERS[concept][0], len(seen), len(listed), side,
            **more,  # type: ignore[arg-type]  # they are the other fields
        )  # fmt: skip
