"""Faces, found by MediaPipe's full-range detector, if the extra `faces` is installed.

The model and its licence: `models/NOTICE.md`. Its file holds numbers and a list of operations that
LiteRT knows; no code of its own is run.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

from PIL import Image, ImageOps

from storage.crops import Box

MODEL = Path(__file__).with_name("models") / "face_detection_full_range_sparse.tflite"
INPUT_SIDE = 192  #: pixels
ANCHORS_A_SIDE = 48  #: one in each cell of a grid
MIN_SCORE = 0.7  #: 2 of 116 photos without faces have had more, elbows and flowers less
TILES_A_SIDE, TILE_SHARE = 2, 0.6  #: parts of a picture, in which smaller faces are found
MAX_OVERLAP = 0.3  #: of two faces, intersection over union


def can_find_faces() -> bool:
    """Return whether the library that runs the detector is installed."""
    return importlib.util.find_spec("ai_edge_litert") is not None


class FaceDetector:
    """The detector, loaded; it opens no file from then on."""

    def __init__(self, interpreter: Any) -> None:
        self._interpreter = interpreter
        self._input = interpreter.get_input_details()[0]["index"]
        places, scores = sorted(
            interpreter.get_output_details(), key=lambda each: -int(each["shape"][-1])
        )
        self._places, self._scores = places["index"], scores["index"]

    @classmethod
    def load(cls) -> Self | None:
        """Load the detector, and run it once; return None if the extra is not installed."""
        if not can_find_faces():
            return None
        from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - an extra

        interpreter = Interpreter(str(MODEL), num_threads=1)
        interpreter.allocate_tensors()
        detector = cls(interpreter)
        detector.find_faces(Image.new("RGB", (INPUT_SIDE, INPUT_SIDE)))
        return detector

    def find_faces(self, picture: Image.Image) -> list[Box]:
        """Return the faces in a picture in RGB; small ones only if there is no large one.

        A face of a twelfth of the picture's longer side is large, one of half of that is found.
        """
        whole = Box(0.0, 0.0, 1.0, 1.0)
        if faces := self._find_in(picture, whole):
            return faces
        tiles = (self._find_in(picture, tile) for tile in list_tiles())
        return drop_overlapping(face for found in tiles for face in found)

    def _find_in(self, picture: Image.Image, part: Box) -> list[Box]:
        """Return the faces in a part of a picture, in shares of the picture, best first."""
        import numpy as np  # noqa: PLC0415 - comes with the extra

        across, down = picture.size
        cut = picture.crop(
            (part.left * across, part.top * down, part.right * across, part.bottom * down)
        )
        padded = ImageOps.pad(cut, (INPUT_SIDE, INPUT_SIDE), Image.Resampling.BILINEAR)
        pixels = np.asarray(padded, dtype=np.float32)[None] / 127.5 - 1
        self._interpreter.set_tensor(self._input, pixels)
        self._interpreter.invoke()
        places = self._interpreter.get_tensor(self._places)[0]
        scores = self._interpreter.get_tensor(self._scores)[0, :, 0]
        certain = math.log(MIN_SCORE / (1 - MIN_SCORE))
        order = [int(at) for at in scores.argsort()[::-1] if scores[at] >= certain]
        boxes = (decode_box(at, [float(value) for value in places[at, :4]]) for at in order)
        width, height = (side / max(cut.size) for side in cut.size)
        found = (unpad_box(box, width, height) for box in drop_overlapping(boxes))
        return [place_box(box, part) for box in found]


def decode_box(anchor: int, place: list[float]) -> Box:
    """Return a face in shares of the detector's input, from what it says at an anchor.

    That is how far the middle is from the anchor's, and the size, in pixels (MediaPipe's
    tflite_tensors_to_detections_calculator, with one anchor of size 1 a cell).
    """
    row, column = divmod(anchor, ANCHORS_A_SIDE)
    middle, size = place[:2], place[2:]
    x = (column + 0.5) / ANCHORS_A_SIDE + middle[0] / INPUT_SIDE
    y = (row + 0.5) / ANCHORS_A_SIDE + middle[1] / INPUT_SIDE
    width, height = (abs(side) / INPUT_SIDE for side in size)
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def unpad_box(box: Box, width: float, height: float) -> Box:
    """Return a box in shares of a picture, from one in shares of the square it is padded to."""
    across = [(x - 0.5) / width + 0.5 for x in (box.left, box.right)]
    down = [(y - 0.5) / height + 0.5 for y in (box.top, box.bottom)]
    (left, right), (top, bottom) = (
        [min(max(value, 0.0), 1.0) for value in values] for values in (across, down)
    )
    return Box(left, top, right, bottom)


def list_tiles() -> Iterator[Box]:
    """Yield the parts of a picture in which small faces are looked for; they overlap."""
    step = (1 - TILE_SHARE) / (TILES_A_SIDE - 1)
    starts = [step * at for at in range(TILES_A_SIDE)]
    for top in starts:
        for left in starts:
            yield Box(left, top, left + TILE_SHARE, top + TILE_SHARE)


def place_box(box: Box, part: Box) -> Box:
    """Return a box in shares of a picture, from one in shares of a part of it."""
    width, height = part.right - part.left, part.bottom - part.top
    return Box(
        part.left + width * box.left,
        part.top + height * box.top,
        part.left + width * box.right,
        part.top + height * box.bottom,
    )


def drop_overlapping(boxes: Iterable[Box]) -> list[Box]:
    """Return boxes without those that overlap an earlier one."""
    kept: list[Box] = []
    for box in boxes:
        if all(overlap(box, other) <= MAX_OVERLAP for other in kept):
            kept.append(box)
    return kept


def overlap(one: Box, other: Box) -> float:
    """Return the intersection of two boxes over their union."""
    across = min(one.right, other.right) - max(one.left, other.left)
    down = min(one.bottom, other.bottom) - max(one.top, other.top)
    shared = max(0.0, across) * max(0.0, down)
    union = sum((box.right - box.left) * (box.bottom - box.top) for box in (one, other)) - shared
    return shared / union if union else 0.0
