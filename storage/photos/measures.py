"""Measure a decoded picture: its fine detail, its borders, its light, and a thumbnail to compare.

What the figures mean to a person says `storage.planning.verdicts`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageStat

from storage.crops import Box
from storage.measurements import PhotoMeasures

THUMBNAIL_SIDE = 32  #: pixels; of the grey one, squeezed to a square
COLOURS_SIDE = 8  #: pixels; of the coloured one
TILES = 8  #: a side; the finest eight of all tell a sharp subject on a plain ground
MIN_TILE_PIXELS = 3  #: a side, in the coarsest octave
BUSY_TILES = 16  #: of 64, whose finest detail is looked at
#: fine detail over that two octaves coarser. Blurred (sigma 1.5) and enlarged (x3) photos reach
#: .25, sharp ones fall to .27 (benchmarks/RESULTS.md, photos); soft ones are reduced until .4
MIN_DETAIL, FULL_DETAIL = 0.25, 0.4
MAX_NOISE = (
    6.0  #: mean square of what rounding and JPEG leave of an octave; photos have 12 or more
)
REDUCTIONS = (1.5, 2, 3, 4, 6, 8)
MIN_FACE_SHARE = 0.5  #: of the largest face's height; smaller ones are in the background
TINY_SIDE = 256  #: pixels
MIN_CONTRAST = 5.0  #: levels; a wall, fog, a black frame
#: shares of a photo in which hardly anything can be seen; a drawing on white has dark lines
MAX_DARK, MAX_BRIGHT, MIN_DARK = 0.9, 0.6, 0.01
DARK_LEVEL, BRIGHT_LEVEL = 50, 250  #: of 255
BAR_TOLERANCE = 6  #: levels, from the outermost row's median
#: share of a bar's row in its colour, and of the rows behind it at most: a bar ends at once
MIN_BAR_SHARE, MAX_PHOTO_SHARE = 0.7, 0.4
EDGE_SHARE = 0.04  #: of a row: its two ends, where a bar's photo goes on and a subject does not
MIN_BAR, MAX_BAR = 0.03, 0.4  #: of the side
CLEAN_BAR_SHARE = 0.99  #: of a bar without text or buttons on it

Levels = NDArray[np.int16] | NDArray[np.uint8]


def measure(picture: Image.Image, faces: Sequence[Box] | None = None) -> PhotoMeasures:
    """Return the measures of an upright RGB or RGBA picture; `faces` may not be looked for."""
    rgb = picture.convert("RGB")
    grey = rgb.convert("L")
    bars, clean = ((0, 0, 0, 0), True) if picture.mode == "RGBA" else find_bars(np.asarray(grey))
    width, height = grey.size
    inside = bars[0], bars[1], width - bars[2], height - bars[3]
    middle = grey.crop((width // 4, height // 4, width - width // 4, height - height // 4))
    return PhotoMeasures(
        detail=measure_detail(grey),
        bars=bars,
        clean_bars=clean,
        dark=_share(grey, 0, DARK_LEVEL),
        bright=_share(middle, BRIGHT_LEVEL, 255),
        contrast=round(ImageStat.Stat(grey).stddev[0], 1),
        thumbnail=_encode(grey, THUMBNAIL_SIDE, inside),
        transparent=picture.mode == "RGBA",
        faces=None if faces is None else count_main_faces(faces),
        colours=_encode(rgb, COLOURS_SIDE, inside),
    )


def count_main_faces(faces: Sequence[Box]) -> int:
    """Return how many faces are at least half as high as the largest."""
    heights = [face.bottom - face.top for face in faces]
    return sum(height >= MIN_FACE_SHARE * max(heights) for height in heights)


def list_warnings(measures: PhotoMeasures, size: tuple[int, int]) -> tuple[str, ...]:
    """Return the codes of what is wrong with a picture of a size, the worst first."""
    codes = {
        "plain": measures.contrast < MIN_CONTRAST,
        "tiny": min(size) < TINY_SIDE,
        "blurred": 0 < measures.detail < 1,
        "bars": any(measures.bars) and measures.clean_bars,
        "screenshot": any(measures.bars) and not measures.clean_bars,
        "dark": measures.dark > MAX_DARK,
        "bright": measures.bright > MAX_BRIGHT and measures.dark < MIN_DARK,
    }
    found = tuple(code for code, applies in codes.items() if applies)
    return tuple(code for code in found if code in {"plain", "tiny"}) if codes["plain"] else found


def measure_detail(grey: Image.Image) -> float:
    """Return the share of a picture's width that its detail needs: 1 if sharp, .33 if enlarged.

    0 is unknown: the picture is too small to tell.
    """
    ratio = compare_octaves(grey)
    if ratio is None:
        return 0.0
    if ratio >= MIN_DETAIL:
        return 1.0
    for factor in REDUCTIONS:
        size = round(grey.width / factor), round(grey.height / factor)
        ratio = compare_octaves(grey.resize(size, Image.Resampling.BOX))
        if ratio is None or ratio >= FULL_DETAIL:
            return round(1 / factor, 3)
    return round(1 / REDUCTIONS[-1], 3)


def compare_octaves(grey: Image.Image) -> float | None:
    """Return the finest octave's amplitude over that two octaves coarser, in the finest tiles.

    It is of second differences, and about 1 for photos in focus, whatever their contrast. None is
    unknown: the picture is too small.
    """
    levels = np.asarray(grey).astype(np.int16)
    if min(levels.shape) < TILES * MIN_TILE_PIXELS * 4:
        return None
    halves = _halve(levels)
    coarse = _measure_tiles(_halve(halves), range(TILES**2)) / 16**2
    busy = np.argsort(_measure_tiles(halves, range(TILES**2)))[-BUSY_TILES:]
    fine = _measure_tiles(levels, busy)
    finest = np.argsort(fine)[-TILES:]
    above, below = float(fine[finest].mean()), float(coarse[busy[finest]].mean())
    return float(np.sqrt(above / below)) if above > MAX_NOISE else 0.0


def find_bars(levels: Levels) -> tuple[tuple[int, int, int, int], bool]:
    """Return the plain borders (left, top, right, bottom, in pixels), and if nothing is on them.

    A plain ground around a subject is no border: behind a border the photo begins at once, over
    the whole side.
    """
    turned = (levels.T, levels, levels.T[::-1], levels[::-1])
    found = [_find_bar(each) for each in turned]
    left, top, right, bottom = (width for width, _ in found)
    clean = all(share >= CLEAN_BAR_SHARE for width, share in found if width)
    return (left, top, right, bottom), clean


def _find_bar(levels: Levels) -> tuple[int, float]:
    """Return the height of the bar at the top, and the share of it in its colour; 0 if none."""
    rows, columns = levels.shape
    least, most = max(2, round(rows * MIN_BAR)), int(rows * MAX_BAR)
    edge, colour = max(1, int(columns * EDGE_SHARE)), np.median(levels[0])
    if not (_find_near(levels[:least], colour).mean(axis=1) >= MIN_BAR_SHARE).all():
        return 0, 1.0
    shares = _find_near(levels[: most + 1], colour).mean(axis=1)
    inside = shares >= MIN_BAR_SHARE
    height = int(np.argmin(inside))
    # a row may be mixed from both; a sky goes on behind any row as it was
    behind = _find_near(levels[height + 1 : height + 4], np.median(levels[height - 1]))
    ends = np.concatenate([behind[:, :edge], behind[:, -edge:]], axis=1)
    if inside.all() or max(behind.mean(), ends.mean()) > MAX_PHOTO_SHARE:
        return 0, 1.0
    return height, float(shares[:height].mean())


def _find_near(levels: Levels, colour: np.floating) -> NDArray[np.bool_]:
    near: NDArray[np.bool_] = np.abs(levels.astype(np.int16) - colour) <= BAR_TOLERANCE
    return near


def _measure_tiles(levels: Levels, tiles: Iterable[int]) -> NDArray[np.float64]:
    """Return the mean square of second differences, both ways, in some tiles of 8x8."""
    rows, columns = (side // TILES for side in levels.shape)
    found = []
    for tile in tiles:
        row, column = divmod(int(tile), TILES)
        part = levels[row * rows : (row + 1) * rows, column * columns : (column + 1) * columns]
        inner = 2 * part[1:-1, 1:-1]
        across = (inner - part[1:-1, :-2] - part[1:-1, 2:]).ravel().astype(np.float32)
        down = (inner - part[:-2, 1:-1] - part[2:, 1:-1]).ravel().astype(np.float32)
        found.append((np.dot(across, across) + np.dot(down, down)) / len(across))
    return np.array(found, np.float64)


def _halve(levels: Levels) -> Levels:
    """Return sums of four pixels; 16 of them still fit."""
    rows, columns = (side // 2 * 2 for side in levels.shape)
    even = levels[:rows, :columns]
    return even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]


def _share(grey: Image.Image, least: int, most: int) -> float:
    """Return the share of pixels between two levels."""
    counts = grey.histogram()
    return round(sum(counts[least : most + 1]) / sum(counts), 3)


def _encode(picture: Image.Image, side: int, box: tuple[int, int, int, int]) -> str:
    small = picture.resize((side, side), Image.Resampling.LANCZOS, box, reducing_gap=3.0)
    return base64.b64encode(small.tobytes()).decode()
