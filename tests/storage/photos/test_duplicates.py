"""Near duplicates."""

from __future__ import annotations

import pytest

from storage.photos.duplicates import are_near_duplicates


@pytest.mark.parametrize(("bits", "near"), [(0, True), (5, True), (6, False), (64, False)])
def test_differing_bits(bits: int, *, near: bool) -> None:
    """Pictures whose hashes differ in at most five of 64 bits look nearly the same."""
    assert are_near_duplicates(0, (1 << bits) - 1) is near
