"""How ready a dataset is for training, and which photo would help it most.

Light and ground are measured on each photo's small coloured thumbnail; whether two photos have
the same ground, by whether the colours at the edges of one are anywhere in the other: a crop of a
photo has no ground of its own. Angle and distance are measured on features of the photos, once a
worker has looked at them (`storage/planning/features.py`). The grid is of light and ground alone:
features tell how far views are apart, not which angle or distance a photo has, so a lack of these
is said as the next photo. Crops of one photo count as one.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from storage.photos.measures import COLOURS_SIDE
from storage.photos.overlap import group_parts
from storage.photos.sameshot import number_shots
from storage.planning.features import MIN_VIEWS_SPREAD, measure_views_spread
from storage.planning.verdicts import AnyPhoto
from storage.records import Concept

MIN_PHOTOS = 3  #: that differ: 3 to 5 in Gal et al. and Ruiz et al. 2022
GOOD_PHOTOS = 10  #: that differ: "10 to 20 varied ones"
GOOD_GROUNDS, GOOD_LIGHTS = 3, 2
MAX_PHOTOS = 60  #: that are compared with each other
MAX_PARTS = 20  #: photos up to which crops of one are looked for: of more there is enough else
DIM_LEVEL, BRIGHT_LEVEL = 85.0, 150.0  #: mean levels, of 255
PLAIN_SPREAD, BUSY_SPREAD = 25.0, 50.0  #: standard deviation of the colours at the edges
MIN_GROUND_DISTANCE = 12.0  #: levels; of crops of one photo it is less
LUMA = (0.299, 0.587, 0.114)
#: what cannot be learnt from: it counts as no photo
USELESS = frozenset({"plain", "dark"})

Colours = NDArray[np.float32]


class Level(StrEnum):
    """How ready a dataset is."""

    NOT_YET = "not_yet"
    TRAINS = "trains"
    GOOD = "good"


class Light(StrEnum):
    """How much light there is in a photo."""

    DIM = "dim"
    EVEN = "even"
    BRIGHT = "bright"


class Ground(StrEnum):
    """What is around the subject."""

    PLAIN = "plain"
    SOME = "some"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Readiness:
    """How ready a dataset is, and what it lacks most."""

    level: Level
    advice: str  #: the code of the most useful next photo; "" if nothing is missing
    different: int  #: photos, those of the same shot counted once
    missing: int  #: photos to add, by the advice
    grounds: int  #: kinds of ground
    grid: tuple[tuple[int, ...], ...]  #: photos by ground (rows) and light (columns)
    variety: float  #: levels; mean distance of the grounds
    views: float | None = None  #: mean distance of angles and distances; None is not looked at

    @property
    def rank(self) -> tuple[int, int, int, float, float]:
        """What datasets are ranked by; more is better."""
        filled = sum(count > 0 for row in self.grid for count in row)
        level = [*Level].index(self.level)
        return level, self.grounds, filled, self.variety, self.views or 0.0

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Self:
        """Return it from JSON."""
        grid = tuple(tuple(row) for row in facts["grid"])
        return cls(**{**facts, "level": Level(facts["level"]), "grid": grid})

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)


def rate_readiness(photos: Sequence[AnyPhoto], concept: Concept = Concept.SUBJECT) -> Readiness:
    """Return how ready photos are; a look needs different things rather than grounds."""
    shots = list_shots(photos)
    different = leave_out_crops(shots)
    known = [each.measures for each in different if each.measures][:MAX_PHOTOS]
    colours = [read_colours(measures.colours) for measures in known]
    kinds = [(find_ground(each), find_light(each)) for each in colours]
    grid = tuple(tuple(kinds.count((g, light)) for light in Light) for g in Ground)
    lights = {light for _, light in kinds}
    grounds, variety = count_grounds(colours)
    place = concept is Concept.SUBJECT and not all(each.transparent for each in known)
    views = measure_views_spread(different)
    advice, missing = choose_advice(len(different), grounds, lights, place=place)
    if advice == "few" and len(shots) >= MIN_PHOTOS:
        advice = "crops"
    elif views is not None and views < MIN_VIEWS_SPREAD and advice not in {"few", "one_ground"}:
        advice, missing = "one_view", 2
    if len(different) < MIN_PHOTOS:
        level = Level.NOT_YET
    else:
        level = Level.TRAINS if advice else Level.GOOD
    return Readiness(level, advice, len(different), missing, grounds, grid, variety, views)


def list_different(photos: Sequence[AnyPhoto]) -> list[AnyPhoto]:
    """Return the usable photos, one of each shot and of crops of one photo."""
    return leave_out_crops(list_shots(photos))


def list_shots(photos: Sequence[AnyPhoto]) -> list[AnyPhoto]:
    """Return the usable photos, one of each shot."""
    found: dict[int, AnyPhoto] = {}
    for photo, shot in zip(photos, number_shots(photos), strict=True):
        if USELESS.isdisjoint(photo.warnings):
            found.setdefault(shot, photo)
    return [*found.values()]


def leave_out_crops(shots: Sequence[AnyPhoto]) -> list[AnyPhoto]:
    """Return photos, one of those that are crops of the same one."""
    if len(shots) > MAX_PARTS:
        return [*shots]
    found: dict[int, AnyPhoto] = {}
    for photo, part in zip(shots, group_parts(shots), strict=True):
        found.setdefault(part, photo)
    return [*found.values()]


def choose_advice(
    different: int, grounds: int, lights: set[Light], *, place: bool
) -> tuple[str, int]:
    """Return the code of the most useful next photo, and how many of it; "" and 0 if none.

    `place` is whether it matters where the photos were taken.
    """
    if different < MIN_PHOTOS:
        return "few", MIN_PHOTOS - different
    if place and grounds == 1:
        return "one_ground", 2
    if len(lights) < GOOD_LIGHTS and lights:
        return f"only_{next(iter(lights))}", 2
    if different < GOOD_PHOTOS:
        return "more", GOOD_PHOTOS - different
    if place and 0 < grounds < GOOD_GROUNDS:
        return "grounds", 2
    return "", 0


def find_light(colours: Colours) -> Light:
    """Return how much light there is in a photo."""
    level = float(colours.mean(axis=(0, 1)) @ np.array(LUMA, np.float32))
    return Light.DIM if level < DIM_LEVEL else Light.BRIGHT if level > BRIGHT_LEVEL else Light.EVEN


def find_ground(colours: Colours) -> Ground:
    """Return how much there is to see at the edges of a photo."""
    spread = float(list_edges(colours).std(axis=0).mean())
    if spread < PLAIN_SPREAD:
        return Ground.PLAIN
    return Ground.BUSY if spread > BUSY_SPREAD else Ground.SOME


def count_grounds(photos: Sequence[Colours]) -> tuple[int, float]:
    """Return how many grounds photos have, and the mean distance of two."""
    if not photos:
        return 0, 0.0
    distances = measure_ground_distances(photos)
    first: list[int] = []
    for at in range(len(photos)):
        if all(distances[known, at] >= MIN_GROUND_DISTANCE for known in first):
            first.append(at)
    pairs = max(1, len(photos) * (len(photos) - 1))
    return len(first), round(float(distances.sum()) / pairs, 2)


def measure_ground_distances(photos: Sequence[Colours]) -> Colours:
    """Return how far the colours at the edges of each photo are from any in each other, in levels.

    Of the two directions the nearer one counts, and the diagonal is 0.
    """
    colours = np.concatenate([each.reshape(-1, 3) for each in photos])
    squares = (colours**2).sum(axis=1)
    rows = []
    for photo in photos:
        edges = list_edges(photo)
        apart = (edges**2).sum(axis=1)[:, None] + squares - 2 * edges @ colours.T
        nearest = apart.reshape(len(edges), len(photos), -1).min(axis=2)
        rows.append(np.sqrt(np.maximum(nearest, 0)).mean(axis=0))
    distances = np.stack(rows)
    found: Colours = np.minimum(distances, distances.T)
    np.fill_diagonal(found, 0)
    return found


def list_edges(colours: Colours) -> Colours:
    """Return the colours at the edges of a thumbnail."""
    sides = (colours[0], colours[-1], colours[1:-1, 0], colours[1:-1, -1])
    return np.concatenate(sides)


def read_colours(encoded: str) -> Colours:
    """Return the colours of a small thumbnail."""
    levels = np.frombuffer(base64.b64decode(encoded), np.uint8)
    return levels.reshape(COLOURS_SIDE, COLOURS_SIDE, 3).astype(np.float32)
