"""Find photos of the same shot: saved again, resized, cropped or turned a little, or mirrored.

One thumbnail is mirrored, turned and cropped until it matches the other best, in single steps.
Two different photos never match, however much they are alike in colours.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from storage.photos.duplicates import are_near_duplicates
from storage.photos.measures import THUMBNAIL_SIDE
from storage.records import CheckedPhoto, Photo

#: correlation; of one shot from .88 on, of different ones up to .7 (benchmarks/RESULTS.md, photos)
MIN_MATCH = 0.89
MIN_START, MIN_CLIMB = 0.2, 0.5  #: before a thumbnail is moved; after the largest moves
MAX_COLOUR_DISTANCE = 36  #: levels of 255, of the mean colours: on another ground it is no copy
BORDER = 2  #: pixels, where moved thumbnails have no content
MAX_CROP, CROP_STEP, START_CROP = 0.1, 0.0125, 0.05  #: of a side
MAX_TURN, TURN_STEP, START_TURN = 3.0, 1.0, 2.0  #: degrees

Array = NDArray[np.float32]
Grid = tuple[NDArray[np.int32], Array]  #: places and shares
#: moves are rows: the share cut off at the left, top, right and bottom, and degrees
STARTS = np.array(
    [
        (*crop, turn)
        for turn in (0, -START_TURN, START_TURN)
        for crop in product((0, START_CROP), repeat=4)
    ],
    np.float32,
)
STEPS = np.array(
    [
        [sign * (CROP_STEP if at < 4 else TURN_STEP) * (at == side) for at in range(5)]
        for side, sign in product(range(5), (-1, 1))
    ],
    np.float32,
)
LEAST, MOST = (np.array([crop] * 4 + [turn], np.float32)
               for crop, turn in ((0, -MAX_TURN), (MAX_CROP, MAX_TURN)))  # fmt: skip
INNER = np.arange(BORDER, THUMBNAIL_SIDE - BORDER)


def make_smooth_basis(side: int) -> Array:
    """Return an orthonormal basis of polynomials of degree 2, as columns.

    It is taken out of all thumbnails: a bright sky over dark ground is no likeness.
    """
    line = np.linspace(-1, 1, side)
    powers = ((i, j) for i in range(3) for j in range(3 - i))
    columns = [np.outer(line**i, line**j).ravel() for i, j in powers]
    return np.linalg.qr(np.stack(columns, axis=1))[0].astype(np.float32)


SMOOTH = make_smooth_basis(len(INNER))


def number_shots(photos: Sequence[Photo | CheckedPhoto]) -> list[int]:
    """Return a number for each photo, the same for photos of the same shot.

    Stored photos were compared when they were added.
    """
    shots: list[int] = []
    for at, photo in enumerate(photos):
        if isinstance(photo, Photo):
            shots.append(photo.shot or photo.id)
            continue
        same = {shots[other] for other in range(at) if are_same_shot(photo, photos[other])}
        shots = [at if shot in same else shot for shot in shots]
        shots.append(at)
    return shots


def find_same_shots(photo: CheckedPhoto | Photo, others: Sequence[Photo]) -> list[int]:
    """Return the places of the others that are of the same shot as a photo."""
    return [at for at, other in enumerate(others) if are_same_shot(photo, other)]


def are_same_shot(one: Photo | CheckedPhoto, other: Photo | CheckedPhoto) -> bool:
    """Return whether two photos are of the same shot; of old ones, only their hashes tell."""
    if are_near_duplicates(one.phash, other.phash):
        return True
    if one.measures is None or other.measures is None:
        return False
    means = [read_mean_colour(each.measures.colours) for each in (one, other) if each.measures]
    if float(np.abs(means[0] - means[1]).max()) > MAX_COLOUR_DISTANCE:
        return False
    return match(one.measures.thumbnail, other.measures.thumbnail) >= MIN_MATCH


def match(one: str, other: str) -> float:
    """Return the correlation of two thumbnails, the one moved that matches better, up to 1."""
    plain = float((read_plain(other) @ read_plain(one)[0]).max())
    if plain < MIN_START:
        return plain
    found = climb(one, other)
    return found if found >= MIN_MATCH else max(found, climb(other, one))


def climb(moving: str, still: str) -> float:
    """Move a thumbnail towards another one as long as each step makes them more alike."""
    target = read_plain(still)[0]
    scores = read_views(moving) @ target
    at = int(np.argmax(scores))
    best, move = float(scores[at]), STARTS[at % len(STARTS)]
    levels = read_levels(moving)
    levels = levels[:, ::-1] if at >= len(STARTS) else levels
    while MIN_CLIMB <= best < MIN_MATCH:
        steps = np.clip(move + STEPS, LEAST, MOST)
        scores = make_views(levels, steps) @ target
        at = int(np.argmax(scores))
        if scores[at] <= best:
            break
        best, move = float(scores[at]), steps[at]
    return best


@lru_cache(maxsize=2048)  # of 6 kB each
def read_plain(thumbnail: str) -> Array:
    """Return a thumbnail's view before any move, and that of its mirror."""
    levels = read_levels(thumbnail)
    return np.concatenate([sample_views(each, PLAIN_GRID) for each in (levels, levels[:, ::-1])])


@lru_cache(maxsize=64)  # of 300 kB each
def read_views(thumbnail: str) -> Array:
    """Return a thumbnail's views after each of the largest moves, then those of its mirror."""
    levels = read_levels(thumbnail)
    return np.concatenate([sample_views(each, START_GRID) for each in (levels, levels[:, ::-1])])


def make_views(levels: Array, moves: Array) -> Array:
    """Return the inner pixels of a thumbnail after each move, as rows of length 1 around 0."""
    return sample_views(levels, make_grid(moves))


def make_grid(moves: Array) -> Grid:
    """Return the four pixels that each inner one is mixed of after each move, and their shares."""
    side, (left, top, right, bottom, turn) = THUMBNAIL_SIDE, moves.T[:, :, None, None]
    across = (INNER[None, None, :] + 0.5) / side * (1 - left - right) + left - 0.5
    down = (INNER[None, :, None] + 0.5) / side * (1 - top - bottom) + top - 0.5
    cosine, sine = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    x = np.clip((across * cosine - down * sine + 0.5) * side - 0.5, 0, side - 1.001)
    y = np.clip((across * sine + down * cosine + 0.5) * side - 0.5, 0, side - 1.001)
    column, row = x.astype(np.int32), y.astype(np.int32)
    x, y = x - column, y - row
    place = row * side + column
    places = np.stack([place, place + 1, place + side, place + side + 1])
    shares = np.stack([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y])
    count = len(moves)
    return places.reshape(4, count, -1), shares.reshape(4, count, -1).astype(np.float32)


def sample_views(levels: Array, grid: Grid) -> Array:
    """Return the pixels of a thumbnail on a grid, as rows of length 1 around 0."""
    places, shares = grid
    rows = (levels.ravel()[places] * shares).sum(axis=0)
    plain = rows - rows @ SMOOTH @ SMOOTH.T
    views: Array = plain / np.maximum(np.linalg.norm(plain, axis=1, keepdims=True), 1e-3)
    return views


#: of the largest moves, and of none
START_GRID, PLAIN_GRID = make_grid(STARTS), make_grid(STARTS[:1])


def read_levels(thumbnail: str) -> Array:
    """Return the grey levels of a thumbnail."""
    levels = np.frombuffer(base64.b64decode(thumbnail), np.uint8)
    return levels.reshape(THUMBNAIL_SIDE, THUMBNAIL_SIDE).astype(np.float32)


@lru_cache(maxsize=2048)
def read_mean_colour(colours: str) -> Array:
    """Return the mean red, green and blue of a small coloured thumbnail."""
    mean: Array = np.frombuffer(base64.b64decode(colours), np.uint8).reshape(-1, 3).mean(axis=0)
    return mean
