"""Augmentation: the ways in which a training shows each photo, made before it starts.

They stand in the recipe, photo by photo, so that the same recipe gives the same pictures.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any, Self

from storage.crops import FramedBy, Framing
from storage.measurements import Examination

FLIP, CROP, ROTATE, COLOR = "flip_aug", "random_crop", "rotate_aug", "color_aug"
AUGMENTATIONS = (FLIP, CROP, ROTATE, COLOR)  #: options by that name (kohya's, where it has them)
VARIATIONS = 4  #: of a photo, the first of which is the photo as it is
MAX_ZOOM = 1.15
MAX_ANGLE = 4.0  #: degrees
MAX_COLOR_CHANGE = 0.1  #: of brightness, contrast and saturation
DIGITS = 4  #: of a number in the recipe


@dataclass(frozen=True, slots=True)
class Variation:
    """How a photo is shown otherwise than it is."""

    mirrored: bool = False
    zoom: float = 1.0  #: how many times nearer
    x: float = 0.5  #: where the nearer part lies in what is kept: 0 is left, 1 is right
    y: float = 0.5  #: 0 is the top, 1 is the bottom
    angle: float = 0.0  #: degrees, counter-clockwise
    brightness: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0

    def __post_init__(self) -> None:
        places = 0 <= self.x <= 1 and 0 <= self.y <= 1
        colours = (self.brightness, self.contrast, self.saturation)
        if not (places and 1 <= self.zoom <= 4 and abs(self.angle) <= 45):
            raise ValueError(f"{self} shows nothing of a photo")
        if not all(0 <= colour <= 4 for colour in colours):
            raise ValueError(f"{self} has no colours")

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Read a variation from JSON; raise TypeError or ValueError for a broken one."""
        return cls(**value)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)


def may_mirror(found: Framing, examination: Examination | None) -> bool:
    """Return whether a photo may be shown mirrored: a face and text become others by that."""
    text = examination is not None and bool(examination.text)
    return found.by is not FramedBy.FACE and not text


def list_variations(chosen: Collection[str], key: str, *, mirrors: bool) -> list[Variation | None]:
    """Return the ways to show a photo; the first one, None, shows it as it is.

    `chosen` are augmentations; `key` decides on their numbers. Without `mirrors`, as for a face
    or for text, none is mirrored.
    """
    wanted = [each for each in AUGMENTATIONS if each in chosen and (each != FLIP or mirrors)]
    if not wanted:
        return [None]
    if wanted == [FLIP]:
        return [None, Variation(mirrored=True)]
    draws = (random.Random(f"{key} {number}") for number in range(1, VARIATIONS))  # noqa: S311
    return [None, *(draw_variation(wanted, draw, at) for at, draw in enumerate(draws))]


def draw_variation(wanted: Collection[str], draw: random.Random, at: int) -> Variation:
    """Return one variation; every other one is mirrored."""

    def number(least: float, most: float) -> float:
        return round(draw.uniform(least, most), DIGITS)

    zoom, x, y = number(1, MAX_ZOOM), number(0, 1), number(0, 1)
    angle = number(-MAX_ANGLE, MAX_ANGLE)
    colours = [number(1 - MAX_COLOR_CHANGE, 1 + MAX_COLOR_CHANGE) for _ in range(3)]
    return Variation(
        FLIP in wanted and at % 2 == 0,
        *((zoom, x, y) if CROP in wanted else (1.0, 0.5, 0.5)),
        angle if ROTATE in wanted else 0.0,
        *(colours if COLOR in wanted else ()),
    )
