"""Likeness: how much pictures look like photos, and never more than photos look like each other.

DreamBooth's protocol (Ruiz et al. 2022) takes the mean cosine of features. Scored against its own
training photos, that rewards a style which repeats them, so here it ends at what two different
photos have in common: beyond it lies a copy, not a success.
"""

from __future__ import annotations

from training.lazy import Tensor

UNRELATED = 0.26  #: mean cosine of photos of different subjects to EfficientNet-Lite2
MIN_RANGE = 0.1  #: of cosines between unlike and alike; less is within the noise
MIN_HELD_OUT = 20  #: photos of a set, from which some can be kept out of training to compare with


def measure_own_likeness(photos: Tensor) -> float:
    """Return the mean cosine of photos' features (N, D) to each other; 1 for a single photo."""
    count = len(photos)
    if count < 2:
        return 1.0
    return float(((photos @ photos.T).sum() - count) / (count * (count - 1)))


def measure_likeness(pictures: Tensor, photos: Tensor, floor: float = UNRELATED) -> Tensor:
    """Return the likeness (N,) of pictures' features to photos', 0 to 1.

    It is 1 for a picture that is as near to the photos as they are to each other, and 0 at the
    cosine `floor`: that of unrelated photos, or of what the base draws without a style.
    """
    cap = measure_own_likeness(photos)
    found = (pictures @ photos.T).mean(1)
    return ((found - floor) / max(cap - floor, MIN_RANGE)).clamp(0, 1)


def measure_floor(base_pictures: Tensor, photos: Tensor) -> float:
    """Return the mean cosine of what the base draws without a style to photos."""
    return float((base_pictures @ photos.T).mean()) if len(base_pictures) else UNRELATED


def find_held_out(count: int) -> list[int]:
    """Return the places of every fifth photo of so many, if those are enough to keep some out."""
    return [*range(4, count, 5)] if count >= MIN_HELD_OUT else []
