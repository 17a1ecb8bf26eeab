"""Photos as the advisor weighs them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from storage.planning.advice_input import SUBJECT_MATTERS, AdviceInput, SubjectMatter
from storage.records import Concept

FAR = 0x0F0F_F0F0_0FF0  #: hashes that are multiples of it are far from each other


@dataclass(frozen=True)
class Photo:
    """What is known of a photo."""

    phash: int
    width: int = 800
    height: int = 600
    warnings: tuple[str, ...] = ()


def test_what_counts() -> None:
    """Blurred photos and those that nearly show the same are not counted; each is once."""
    photos = [Photo(FAR * at) for at in range(1, 5)]
    photos += [Photo(FAR ^ 1), Photo(FAR * 9, warnings=("blurred",)), Photo(FAR * 8)]

    case = AdviceInput.from_photos(photos, Concept.SUBJECT)

    assert (case.distinct_photos, case.total_photos) == (5, 7)


def test_side() -> None:
    """Their size is the median of the shorter sides; of no photos it is unknown."""
    photos = [Photo(0, 100, 900), Photo(FAR, 900, 300), Photo(FAR * 2, 4000, 3000)]

    assert AdviceInput.from_photos(photos, Concept.LOOK).median_side == 300
    assert AdviceInput.from_photos([], Concept.LOOK).median_side == 0


@pytest.mark.parametrize("concept", Concept)
def test_motif(concept: Concept) -> None:
    """The concept says what is shown until somebody else does."""
    assert AdviceInput.from_photos([], concept).subject_matter is SUBJECT_MATTERS[concept][0]
    assert (
        AdviceInput.from_photos([], concept, SubjectMatter.EMOJI).subject_matter
        is SubjectMatter.EMOJI
    )
