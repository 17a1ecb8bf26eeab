"""What a report on a style shows, of all that was drawn for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MIN_PHOTOS = 2  #: with a single one, nothing says how much alike they are
SHOWN_PICTURES = 8


def choose_pictures(pictures: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the pictures that a report shows: first one of each prompt, then others.

    The picture that is nearest to a photo is among them, the last one if it was not chosen.
    """
    prompts = [each["prompt"] for each in pictures]
    order = sorted(range(len(pictures)), key=lambda at: (prompts[:at].count(prompts[at]), at))
    chosen = [pictures[at] for at in order[:SHOWN_PICTURES]]
    nearest = find_nearest(pictures)
    return chosen if nearest in chosen else [*chosen, nearest]


def find_nearest(pictures: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the picture that is most like a photo: copies first."""
    return max(pictures, key=lambda each: (each["copied"], each["cosine"] + each["ssim"]))
