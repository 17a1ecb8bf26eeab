"""Find photos that are parts of one photo: crops that are too small to be the same shot.

Windows of one thumbnail are looked for in the other, at all places and in several sizes. Put where
one is found, all that the two have in common must be alike: drawings of one figure share its face,
and are no crops. Mirrored and turned crops are not found.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import lru_cache
from itertools import product

import numpy as np
from PIL import Image

from storage.photos.measures import THUMBNAIL_SIDE
from storage.photos.sameshot import MIN_MATCH, Array, make_smooth_basis, match, read_levels
from storage.records import CheckedPhoto, Photo

#: correlation from which on all that two photos share is compared (benchmarks/RESULTS.md)
MIN_OVERLAP = 0.9
MIN_AGREEING = 2  #: windows that are found again: one alone may be chance
MIN_CONTRAST = 8.0  #: levels of a window, without its smooth part: a wall is in many photos
WINDOW_SIDE = 10  #: pixels that a window is scaled to
SOUGHT_SIDES, SOUGHT_STEP = (20,), 4.0  #: pixels of a thumbnail
PLACE_SIDES, PLACE_STEP = tuple(range(12, THUMBNAIL_SIDE + 1, 2)), 1.5
SMOOTH = make_smooth_basis(WINDOW_SIDE)


def group_parts(photos: Sequence[Photo | CheckedPhoto]) -> list[int]:
    """Return a number for each photo, the same for photos that are parts of one."""
    groups = [*range(len(photos))]
    known = [(at, each.measures) for at, each in enumerate(photos) if each.measures]
    if len(known) < 2:
        return groups
    thumbnails = [measures.thumbnail for _, measures in known]
    overlaps = measure_overlaps(thumbnails)
    for one, other in np.argwhere(overlaps >= MIN_OVERLAP):
        first, second = groups[known[one][0]], groups[known[other][0]]
        if first != second and have_same_part(thumbnails[one], thumbnails[other]):
            groups = [first if group == second else group for group in groups]
    return groups


def have_same_part(of: str, within: str) -> bool:
    """Return whether all is alike that two thumbnails share, put where a window matches best."""
    scores = list_places(within) @ list_sought(of).T
    place, window = np.unravel_index(int(scores.argmax()), scores.shape)
    here = list_boxes(SOUGHT_SIDES, SOUGHT_STEP)[window]
    there = list_boxes(PLACE_SIDES, PLACE_STEP)[place]
    scale = (there[2] - there[0]) / (here[2] - here[0])
    shift = there[:2] - here[:2] * scale
    start = np.maximum(0, -shift / scale)
    end = np.minimum(THUMBNAIL_SIDE, (THUMBNAIL_SIDE - shift) / scale)
    own = np.concatenate([start, end])
    others = own * scale + np.tile(shift, 2)
    return match(cut_part(of, own), cut_part(within, others)) >= MIN_MATCH


def cut_part(thumbnail: str, box: Array) -> str:
    """Return a part of a thumbnail as a thumbnail."""
    whole = Image.fromarray(read_levels(thumbnail).astype(np.uint8))
    left, top, right, bottom = np.clip(box, 0, THUMBNAIL_SIDE).tolist()
    part = whole.resize(whole.size, Image.Resampling.BILINEAR, (left, top, right, bottom))
    return base64.b64encode(part.tobytes()).decode()


def measure_overlaps(thumbnails: Sequence[str]) -> Array:
    """Return how well windows of each thumbnail are found in each other, by correlation up to 1.

    Of the two directions the better one counts.
    """
    sought = np.concatenate([list_sought(each) for each in thumbnails])
    rows = []
    for thumbnail in thumbnails:  # a product for each pair would take longer than what it computes
        found = (list_places(thumbnail) @ sought.T).max(axis=0).reshape(len(thumbnails), -1)
        rows.append(np.sort(found, axis=1)[:, -MIN_AGREEING])
    one_way = np.stack(rows)
    overlaps: Array = np.maximum(one_way, one_way.T)
    return overlaps


@lru_cache(maxsize=128)  # of 6 kB each
def list_sought(thumbnail: str) -> Array:
    """Return the windows of a thumbnail that are looked for; those with nothing in them are 0."""
    windows, contrast = cut_windows(thumbnail, SOUGHT_SIDES, SOUGHT_STEP)
    return np.where((contrast > MIN_CONTRAST)[:, None], windows, 0)


@lru_cache(maxsize=128)  # of 300 kB each
def list_places(thumbnail: str) -> Array:
    """Return the windows of a thumbnail among which others are looked for."""
    return cut_windows(thumbnail, PLACE_SIDES, PLACE_STEP)[0]


def cut_windows(thumbnail: str, sides: Sequence[int], step: float) -> tuple[Array, Array]:
    """Return a thumbnail's windows as rows of length 1 around 0, and their contrast in levels."""
    levels, cut = read_levels(thumbnail), []
    for side in sides:
        bands = cut_bands(side, step)
        windows = np.einsum("aip,pq,bjq->abij", bands, levels, bands, optimize=True)
        cut.append(windows.reshape(-1, WINDOW_SIDE**2))
    rows = np.concatenate(cut)
    plain = rows - rows @ SMOOTH @ SMOOTH.T
    lengths = np.linalg.norm(plain, axis=1)
    return plain / np.maximum(lengths, 1e-3)[:, None], lengths / WINDOW_SIDE


@lru_cache
def list_boxes(sides: Sequence[int], step: float) -> Array:
    """Return left, top, right and bottom of each window, as rows in the order of `cut_windows`."""
    boxes = [
        (left, top, left + side, top + side)
        for side in sides
        for top, left in product(list_starts(side, step), repeat=2)
    ]
    return np.array(boxes, np.float32)


def list_starts(side: int, step: float) -> Array:
    """Return where windows of a side begin on a line."""
    room = THUMBNAIL_SIDE - side
    return np.linspace(0, room, int(room / step) + 1, dtype=np.float32)


@lru_cache
def cut_bands(side: int, step: float) -> Array:
    """Return how windows of a side are scaled: [window, its pixel, share of each of a line's]."""
    edges = list_starts(side, step)[:, None] + np.linspace(0, side, WINDOW_SIDE + 1)
    line = np.arange(THUMBNAIL_SIDE)
    first, last = edges[:, :-1, None], edges[:, 1:, None]
    shares = np.clip(np.minimum(last, line + 1) - np.maximum(first, line), 0, None)
    found: Array = (shares * WINDOW_SIDE / side).astype(np.float32)
    return found
