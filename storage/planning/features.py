"""What features of photos tell of a set: which photo shows something else, and how views differ.

A worker computes them (EfficientNet-Lite2, `training/judge/features.py`); photos that none has
seen have none, and nothing is said of those.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from storage.records import CheckedPhoto, Photo

MIN_COMPARED = 4  #: photos, among which one can be told from the others
#: median cosine to the others below which a photo shows something else, and its share of what the
#: others have; of one subject it is .5 to .9, of different ones .27 on average
MAX_STRANGE, MAX_STRANGE_SHARE = 0.45, 0.7
MIN_VIEWS_SPREAD = 0.07  #: mean distance; six crops of one photo have .03, poses of a dog .11

Array = NDArray[np.float32]


def pack_features(features: ArrayLike) -> str:
    """Return features of length 1 as text: a signed byte each, in base64."""
    levels = np.asarray(features, np.float32)
    scaled = levels * (127 / max(float(np.abs(levels).max()), 1e-6))
    return base64.b64encode(scaled.round().astype(np.int8).tobytes()).decode()


def measure_cosines(packed: Sequence[str]) -> Array:
    """Return the cosine of each of these features to each other (N, N)."""
    rows = np.stack([np.frombuffer(base64.b64decode(each), np.int8) for each in packed])
    levels = rows.astype(np.float32)
    levels /= np.maximum(np.linalg.norm(levels, axis=1, keepdims=True), 1e-6)
    cosines: Array = levels @ levels.T
    return cosines


def find_seen(photos: Sequence[Photo | CheckedPhoto]) -> list[int]:
    """Return the places of the photos that have features, if they are enough to compare."""
    seen = [at for at, photo in enumerate(photos) if photo.features]
    return seen if len(seen) >= MIN_COMPARED else []


def find_strangers(photos: Sequence[Photo | CheckedPhoto]) -> set[int]:
    """Return the places of photos that show something else than most of the others."""
    seen = find_seen(photos)
    if not seen:
        return set()
    cosines = measure_cosines([photos[at].features for at in seen])
    np.fill_diagonal(cosines, np.nan)
    near = np.nanmedian(cosines, axis=1)
    most = min(MAX_STRANGE, MAX_STRANGE_SHARE * float(np.median(near)))
    return {at for at, own in zip(seen, near, strict=True) if own < most}


def measure_views_spread(photos: Sequence[Photo | CheckedPhoto]) -> float | None:
    """Return the mean distance, 1 - cosine, of photos that have features; None of too few.

    Angle and distance to the subject change it, light and ground do less.
    """
    seen = find_seen(photos)
    if not seen:
        return None
    cosines, count = measure_cosines([photos[at].features for at in seen]), len(seen)
    return round(1 - (float(cosines.sum()) - count) / (count * (count - 1)), 3)
