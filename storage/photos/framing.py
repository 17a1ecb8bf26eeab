"""Find what is to be kept of a photo: its faces, else what stands out.

No cue holds alone: grass has more detail than a dog, the subject may reach to the edges, and the
ground may be what is colourful. Three of them together are measured in `benchmarks/photos`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageFilter

from storage.crops import Box, FramedBy, Framing
from storage.photos.faces import FaceDetector

Map: TypeAlias = "npt.NDArray[np.float64]"  #: (CELLS, CELLS): how much is to be seen where

CELLS = 64  #: along each side of a map
CONTRAST_SIDE, DETAIL_SIDE = 96, 256  #: pixels of the longer side of what is looked at
EDGE_COLOURS = 4  #: that the edges of a photo are summed up in
MAX_DETAIL = 40.0  #: levels between neighbours; more is no more interesting
CENTER_WEIGHT = 2.0  #: of the middle: exp(-2 r²), with r = 0.5 at the edges
FACE_WEIGHT = 100.0  #: of a face, where 1 is usual
HAIR = 0.4  #: of a face's height, above the box that a detector finds


def find_framing(picture: Image.Image, detector: FaceDetector | None) -> Framing:
    """Return what to keep of a picture in RGB; without a detector, faces are not looked for."""
    return frame_faces(picture, detector.find_faces(picture) if detector else [])


def frame_faces(picture: Image.Image, faces: Sequence[Box]) -> Framing:
    """Return what to keep of a picture in RGB with these faces.

    It is the middle of the square in which most is to be seen. A base's bucket never cuts more
    than that square away.
    """
    seen = map_interest(picture)
    for face in faces:
        add_face(seen, face)
    side = min(picture.size)
    x, y = (
        find_window(seen.sum(axis).tolist(), side / length)
        for axis, length in enumerate(picture.size)
    )
    return Framing(x, y, by=FramedBy.FACE if faces else FramedBy.CONTRAST)


def map_interest(picture: Image.Image) -> Map:
    """Return how much each place stands out, has detail, and has colour."""
    small = picture.copy()
    small.thumbnail((CONTRAST_SIDE, CONTRAST_SIDE))
    small = small.filter(ImageFilter.GaussianBlur(1))
    cues = (map_contrast(small), map_detail(picture), small.convert("HSV").getchannel("S"))
    cells = [np.asarray(cue.resize((CELLS, CELLS), Image.Resampling.BOX), float) for cue in cues]
    away = (np.arange(CELLS) + 0.5) / CELLS - 0.5
    weight = np.exp(-CENTER_WEIGHT * (away[:, None] ** 2 + away**2))
    seen: Map = sum(each / max(each.mean(), 1e-6) for each in cells) * weight
    return seen


def map_contrast(small: Image.Image) -> Image.Image:
    """Return how much each place stands out from the colours along the edges, in grey.

    What touches the edges is mostly background (Wei et al. 2012, "Geodesic saliency using
    background priors").
    """
    least = Image.new("L", small.size, 255)
    for colour in list_edge_colours(small):
        apart = ImageChops.difference(small, Image.new("RGB", small.size, colour))
        red, green, blue = apart.split()
        most = ImageChops.lighter(ImageChops.lighter(red, green), blue)
        least = ImageChops.darker(least, most)
    return ImageChops.multiply(least, least)


def map_detail(picture: Image.Image) -> Image.Image:
    """Return how much the neighbours of each pixel differ, in floating-point grey."""
    grey = picture.convert("L")
    grey.thumbnail((DETAIL_SIDE, DETAIL_SIDE))
    levels = np.asarray(grey, np.float32)
    differ = np.zeros_like(levels)
    differ[:, 1:] += np.abs(np.diff(levels, axis=1))
    differ[1:] += np.abs(np.diff(levels, axis=0))
    return Image.fromarray(np.minimum(differ, MAX_DETAIL))


def list_edge_colours(picture: Image.Image) -> list[tuple[int, int, int]]:
    """Return the main colours along the four edges of a picture."""
    width, height = picture.size
    length = max(picture.size)
    strip = Image.new("RGB", (length, 4))
    for at, top in enumerate((0, height - 1)):
        strip.paste(picture.crop((0, top, width, top + 1)).resize((length, 1)), (0, at))
    for at, left in enumerate((0, width - 1), 2):
        edge = picture.crop((left, 0, left + 1, height)).transpose(Image.Transpose.ROTATE_90)
        strip.paste(edge.resize((length, 1)), (0, at))
    found = strip.quantize(EDGE_COLOURS).getpalette() or []
    values = found[: 3 * EDGE_COLOURS]
    return list(zip(values[::3], values[1::3], values[2::3], strict=True))


def add_face(seen: Map, face: Box) -> None:
    """Have a face weigh more on a map than all else."""
    top = max(0.0, face.top - HAIR * (face.bottom - face.top))
    rows, columns = (
        slice(int(first * CELLS), max(int(first * CELLS) + 1, round(last * CELLS)))
        for first, last in ((top, face.bottom), (face.left, face.right))
    )
    seen[rows, columns] += FACE_WEIGHT


def find_window(profile: Sequence[float], share: float) -> float:
    """Return the middle of the window of a share of the profile in which most is to be seen.

    It lies between 0 and 1; of equal windows, it is the one nearest to the middle.
    """
    count = len(profile)
    kept = min(count, max(1, round(share * count)))
    starts = range(count - kept + 1)
    best = max(
        starts, key=lambda at: (sum(profile[at : at + kept]), -abs(2 * at - (count - kept)))
    )
    return (best + kept / 2) / count
