"""Photos as the advisor weighs them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from storage.planning.case import MOTIFS, Case, Motif
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

    case = Case.of(photos, Concept.SUBJECT)

    assert (case.photos, case.handed) == (5, 7)


def test_side() -> None:
    """Their size is the median of the shorter sides; of no photos it is unknown."""
    photos = [Photo(0, 100, 900), Photo(FAR, 900, 300), Photo(FAR * 2, 4000, 3000)]

    assert Case.of(photos, Concept.LOOK).side == 300
    assert Case.of([], Concept.LOOK).side == 0


@pytest.mark.parametrize("concept", Concept)
def test_motif(concept: Concept) -> None:
    """The concept says what is shown until somebody else does."""
    assert Case.of([], concept).motif is MOTIFS[concept][0]
    assert Case.of([], concept, Motif.EMOJI).motif is Motif.EMOJI
