"""Masks are known by their names."""

from __future__ import annotations

from pathlib import PurePath

import pytest

from storage.photosets.masks import is_mask


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.mask.png", True), ("A.MASK.JPG", True), ("a-masklabel.png", True), ("a.mask", True),
     ("a.png.mask.png", True), ("mask.png", False), (".mask.png", False), ("a_mask.png", False),
     ("the mask.png", False), ("a.mask.b.png", False), ("a.masked.png", False)],
)  # fmt: skip
def test_names(name, expected):
    """Only whole marks behind a name make a mask."""
    assert is_mask(PurePath(name)) is expected
