"""The ways in which photos are shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage.crops import FramedBy, Framing
from storage.measurements import Examination, FoundText
from storage.variations import (
    AUGMENTATIONS,
    COLOR,
    FLIP,
    ROTATE,
    VARIATIONS,
    Variation,
    list_variations,
    may_mirror,
)


def test_only_what_was_chosen_is_varied() -> None:
    """Nothing else changes; the photo as it is comes first; the same key gives the same ways."""
    plain, *turned = list_variations([ROTATE], "7 a.png", mirrors=True)

    assert plain is None
    assert len(turned) == VARIATIONS - 1
    assert {replace(each, angle=0.0) for each in turned if each} == {Variation()}
    assert len({each.angle for each in turned if each}) == VARIATIONS - 1
    assert list_variations([ROTATE], "7 a.png", mirrors=True) == [plain, *turned]
    assert list_variations([ROTATE], "8 a.png", mirrors=True) != [plain, *turned]


def test_faces_and_text_are_not_mirrored() -> None:
    """A photo that may not be mirrored gets the other variations, or none."""
    assert list_variations([FLIP], "a", mirrors=True) == [None, Variation(mirrored=True)]
    assert list_variations([FLIP], "a", mirrors=False) == [None]
    both = list_variations([FLIP, COLOR], "a", mirrors=False)
    assert len(both) == VARIATIONS
    assert not any(each and each.mirrored for each in both)
    text = Examination(text=(FoundText("SALE", 0.5, 0.5),))
    assert [
        may_mirror(Framing(by=by), examination)
        for by, examination in (
            (FramedBy.FACE, None), (FramedBy.CONTRAST, text), (FramedBy.CONTRAST, None),
            (FramedBy.CONTRAST, Examination(text=())),
        )
    ] == [False, False, True, True]  # fmt: skip


def test_json() -> None:
    """Variations come back from JSON; what shows nothing is refused."""
    for each in list_variations(AUGMENTATIONS, "a", mirrors=True)[1:]:
        assert each is not None
        assert Variation.from_json(each.to_json()) == each
    for broken in ({"zoom": 0}, {"angle": 90}, {"x": -1}, {"contrast": float("nan")}):
        with pytest.raises(ValueError, match="Variation"):
            Variation.from_json(broken)
