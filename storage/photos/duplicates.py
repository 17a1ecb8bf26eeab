"""Near duplicates, found by their difference hashes."""

from __future__ import annotations

MAX_DIFFERING_BITS = 5  #: of 64


def are_near_duplicates(one: int, other: int) -> bool:
    """Return whether pictures with these `phash`es look nearly the same."""
    return (one ^ other).bit_count() <= MAX_DIFFERING_BITS
