"""The advisor's input from photos."""

from __future__ import annotations

import pytest

from storage.planning.advice_input import SUBJECT_MATTERS, AdviceInput, SubjectMatter
from storage.records import CheckedPhoto, Concept

FAR = 0x0F0F_F0F0_0FF0  #: hashes that are multiples of it are far from each other


def make_photo(
    phash: int, width: int = 800, height: int = 600, warnings: tuple[str, ...] = ()
) -> CheckedPhoto:
    """Make a checked photo."""
    return CheckedPhoto(f"{phash:x}", phash, width, height, b"", b"", warnings)


def test_distinct_photos() -> None:
    """Black photos are not counted as distinct, and those of the same shot count once."""
    photos = [make_photo(FAR * at) for at in range(1, 5)]
    photos += [
        make_photo(FAR ^ 1), make_photo(FAR * 9, warnings=("dark",)), make_photo(FAR * 8),
    ]  # fmt: skip

    case = AdviceInput.from_photos(photos, Concept.SUBJECT)

    assert (case.distinct_photos, case.total_photos) == (5, 7)


def test_side() -> None:
    """The side is the median of the shorter sides; 0 without photos."""
    photos = [make_photo(0, 100, 900), make_photo(FAR, 900, 300), make_photo(FAR * 2, 4000, 3000)]

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


@pytest.mark.parametrize(
    ("side", "transparent", "subject", "look"),
    [
        (64, False, "emoji", "emoji"),
        (128, True, "emoji", "emoji"),
        (129, False, "animal", "drawing"),
        (512, True, "figure", "drawing"),
    ],
)
def test_guess(side: int, subject: str, look: str, *, transparent: bool) -> None:
    """Pictures no larger than an emoji of Discord are emoji; a cut-out subject is a figure."""
    for concept, expected in (Concept.SUBJECT, subject), (Concept.LOOK, look):
        photos = [make_photo(0, side, 900)]
        case = AdviceInput.from_photos(photos, concept, transparent=transparent)
        assert case.subject_matter == expected


def test_emoji_count() -> None:
    """Of emoji all count, also one drawing on several grounds; of photos the same shot once."""
    shots = [make_photo(FAR), make_photo(FAR ^ 1), make_photo(FAR * 8)]
    small = [make_photo(FAR, 64, 64), make_photo(FAR ^ 1, 64, 64), make_photo(FAR * 8, 64, 64)]

    assert AdviceInput.from_photos(shots, Concept.SUBJECT).counted_photos == 2
    assert AdviceInput.from_photos(small, Concept.SUBJECT).counted_photos == 3
