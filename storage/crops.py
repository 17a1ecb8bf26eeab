"""What a training sees of a photo: the bucket nearest in aspect ratio, and the part kept for it.

Sizes are (width, height) in pixels. A `Framing` belongs to the photo and suits any base: it names
the place to keep, and each base's buckets decide how much around it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Self

Size = tuple[int, int]  #: (width, height)

MIN_BUCKET_RESOLUTION = 256  #: a smaller base is trained on squares only
BUCKET_MULTIPLE = 64  #: of which a bucket's sides are multiples
#: (width, height) of the buckets: those of diffusers.training_utils.generate_aspect_ratio_buckets
ASPECT_RATIOS = (
    (1, 1), (4, 5), (5, 4), (2, 3), (3, 2), (3, 4), (4, 3), (9, 16), (16, 9), (1, 2), (2, 1),
)  # fmt: skip
MIN_SHOWN_CUT = 0.02  #: of a photo; less is not worth a word
MUCH_CUT = 0.35  #: of a photo, so much that somebody should look (SceneWorks' Dataset Doctor)


class FramedBy(StrEnum):
    """Who chose what is kept of a photo."""

    MIDDLE = "middle"  #: nobody: it was never looked at
    CONTRAST = "contrast"  #: what stands out from the photo's edges
    FACE = "face"
    MEMBER = "member"


@dataclass(frozen=True, slots=True)
class Framing:
    """What to keep of a photo. Raises ValueError for a place outside of it."""

    x: float = 0.5  #: the place to have in the middle, as a share of the width
    y: float = 0.5  #: as a share of the height, from the top
    whole: bool = False  #: keep all of it, between bars that are not learned from
    by: FramedBy = FramedBy.MIDDLE

    def __post_init__(self) -> None:
        if not (0 <= self.x <= 1 and 0 <= self.y <= 1):
            raise ValueError(f"({self.x}, {self.y}) is no place in a photo")

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Read a framing from JSON; raise KeyError, TypeError or ValueError for a broken one."""
        place = float(value["x"]), float(value["y"])
        return cls(*place, bool(value["whole"]), FramedBy(value["by"]))

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)


MIDDLE = Framing()


class Box(NamedTuple):
    """A part of a photo, in shares of its width and height."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def cut(self) -> float:
        """The share of the photo that is cut away."""
        return 1 - (self.right - self.left) * (self.bottom - self.top)


def list_buckets(resolution: int, multiple: int = BUCKET_MULTIPLE) -> list[Size]:
    """List the aspect ratio buckets of a base's resolution; `multiple` is of its family."""
    if resolution < MIN_BUCKET_RESOLUTION:
        side = max(multiple, resolution // multiple * multiple)
        return [(side, side)]
    multiple, buckets = max(multiple, BUCKET_MULTIPLE), dict[Size, None]()
    for across, down in ASPECT_RATIOS:
        height = math.sqrt(resolution**2 / (across / down))
        width = height * (across / down)
        sides = [max(1, round(side / multiple)) * multiple for side in (width, height)]
        buckets[sides[0], sides[1]] = None
    return list(buckets)


def find_bucket(photo: Size, buckets: Iterable[Size]) -> Size:
    """Return the bucket nearest to a photo in aspect ratio, the last of equally near ones.

    As diffusers.training_utils.find_nearest_bucket.
    """
    width, height = photo
    found = reversed([*buckets])
    return min(found, key=lambda bucket: abs(height * bucket[0] - width * bucket[1]))


def centering(photo: Size, bucket: Size, framing: Framing) -> tuple[float, float]:
    """Return where the part kept for a bucket lies, as `PIL.ImageOps.fit` takes it.

    It is (0, 0) at the left and top, (1, 1) at the right and bottom, and exactly (0.5, 0.5) in
    the middle.
    """
    shares = []
    kept_sides, place = kept_size(photo, bucket), (framing.x, framing.y)
    for side, kept, middle in zip(photo, kept_sides, place, strict=True):
        free = side - kept
        shares.append(min(max((middle * side - kept / 2) / free, 0.0), 1.0) if free > 0 else 0.5)
    return shares[0], shares[1]


def crop_box(photo: Size, bucket: Size, framing: Framing) -> Box:
    """Return the part of a photo that is kept for a bucket."""
    if framing.whole:
        return Box(0.0, 0.0, 1.0, 1.0)
    kept = kept_size(photo, bucket)
    at = centering(photo, bucket, framing)
    width, height = kept[0] / photo[0], kept[1] / photo[1]
    left, top = (1 - width) * at[0], (1 - height) * at[1]
    return Box(left, top, left + width, top + height)


def crop_at(photo: Size, resolution: int, framing: Framing) -> Box:
    """Return the part of a photo that a base of this resolution sees."""
    return crop_box(photo, find_bucket(photo, list_buckets(resolution)), framing)


def kept_size(photo: Size, bucket: Size) -> tuple[float, float]:
    """Return the size of the largest part that has a bucket's aspect ratio, in the photo's pixels.

    As `PIL.ImageOps.fit` computes it.
    """
    ratio = bucket[0] / bucket[1]
    if photo[0] / photo[1] >= ratio:
        return min(ratio * photo[1], photo[0]), photo[1]
    return photo[0], min(photo[0] / ratio, photo[1])
