"""What the advisor needs to know: what somebody wants to teach, and from which photos."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from storage.planning.readiness import list_different
from storage.records import CheckedPhoto, Concept, Photo

#: Pixels of the shorter side of the largest emoji: Discord keeps an emoji 128 pixels wide, and no
#: camera makes photos so small.
MAX_EMOJI_SIDE = 128


class SubjectMatter(StrEnum):
    """What photos show; decides which bases draw it best and how real it must look."""

    ANIMAL = "animal"
    PERSON = "person"
    THING = "thing"
    FIGURE = "figure"  #: a drawn character
    DRAWING = "drawing"  #: a style of drawing or painting
    ANIME = "anime"
    PHOTOGRAPHY = "photography"  #: a photographic look
    EMOJI = "emoji"


#: the choices by concept; the first is the default
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

#: the class word of methods that need one, unless somebody names a better one
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


@dataclass(frozen=True, slots=True)
class AdviceInput:
    """What somebody wants to teach, and from which photos."""

    concept: Concept
    subject_matter: SubjectMatter
    distinct_photos: int  #: usable ones; those of the same shot count once
    total_photos: int
    median_side: int = 0  #: pixels, of their shorter sides; 0 is unknown
    concepts: int = 1  #: in one run
    commercial: bool = False  #: whether the style will be used commercially
    large_file_ok: bool = True  #: whether a file of gigabytes can be delivered
    max_minutes: int = 0  #: 0 is unlimited

    @classmethod
    def from_photos(
        cls,
        photos: Iterable[Photo | CheckedPhoto],
        concept: Concept,
        subject_matter: SubjectMatter | None = None,
        *,
        transparent: bool = False,
        **more: int,
    ) -> AdviceInput:
        """Return the input for photos; `more` are other fields."""
        listed = list(photos)
        side = int(median(min(photo.width, photo.height) for photo in listed)) if listed else 0
        matter = subject_matter or guess_subject_matter(concept, side, transparent=transparent)
        return cls(
            concept,
            matter,
            distinct_photos=len(list_different(listed)),
            total_photos=len(listed),
            median_side=side,
            **more,  # type: ignore[arg-type]  # they are the other fields
        )

    @property
    def counted_photos(self) -> int:
        """Return how many photos count: of emoji all, which differ less than photos do."""
        emoji = self.subject_matter is SubjectMatter.EMOJI
        return self.total_photos if emoji else self.distinct_photos


def guess_subject_matter(concept: Concept, side: int, *, transparent: bool) -> SubjectMatter:
    """Return what photos of so many pixels a side show, as long as nobody says it.

    A subject that was cut out, on transparent ground, is taken for a drawn one.
    """
    if 0 < side <= MAX_EMOJI_SIDE:
        return SubjectMatter.EMOJI
    drawn = transparent and concept is Concept.SUBJECT
    return SubjectMatter.FIGURE if drawn else SUBJECT_MATTERS[concept][0]
