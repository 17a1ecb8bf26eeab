"""The advisor's input from photos."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from storage.planning.advice_input import SUBJECT_MATTERS, AdviceInput, SubjectMatter
from storage.records import Concept

FAR = 0x0F0F_F0F0_0FF0  #: hashes that are multiples of it are far from each other


@dataclass(frozen=True)
class Photo:
    """A photo."""

    phash: int
    width: int = 800
    height: int = 600
    warnings: tuple[str, ...] = ()


def test_distinct_photos() -> None:
    """Blurred photos and near duplicates are not counted as distinct."""
    photos = [Photo(FAR * at) for at in range(1, 5)]
    photos += [Photo(FAR ^ 1), Photo(FAR * 9, warnings=("blurred",)), Photo(FAR * 8)]

    case = AdviceInput.from_photos(photos, Concept.SUBJECT)

    assert (case.distinct_photos, case.total_photos) == (5, 7)


def test_side() -> None:
    """The side is the median of the shorter sides; 0 without photos."""
    photos = [Photo(0, 100, 900), Photo(FAR, 900, 300), Photo(FAR * 2, 4000, 3000)]

    assert AdviceInput.from_photos(photos, Concept.LOOK).median_side == 300
    assert AdviceInput.from_photos([], Concept.LOOK).median_side == 0


@pytest.mark.parametrize("concept", Concept)
def test_subject_matter(concept: Concept) -> None:
    """The subject matter has a default by concept."""
    assert AdviceInput.from_photos([], concept).subject_matter is SUBJECT_MATTERS[concept][0]
    assert (
        AdviceInput.from_photos([], concept, SubjectMatter.EMOJI).subject_matter
        is SubjectMatter.EMOJI
    )
