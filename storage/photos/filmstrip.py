"""Pictures with a label each: over the steps of a training, or a grid of strengths or styles."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

SIDE, BAR, GAP, LABEL_SIZE = 192, 60, 8, 44  #: pixels
MARK_WIDTH, MAX_LABEL_WIDTH = 6, 180  #: pixels; if one label is longer, all are drawn smaller
COMMA = 0.75  #: of a line's length, that a line which ends at a comma counts as
TWO_LINES_SIZE = 22  #: pixels: a label that had to be drawn smaller than this takes two lines
FRAMES_A_ROW = 5
MAX_REMEMBERED = 128  #: squares, of 110 KB each
FRAME_MS, LAST_FRAME_MS = 700, 2500  #: of an animation
GROUND, BAR_COLOUR, INK, MARK_COLOUR = "#ffffff", "#2b2d31", "#f2f3f5", "#23a55a"

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a strip."""

    path: Path
    label: str
    marked: bool = False


def draw_filmstrip(frames: Sequence[Frame], columns: int = 0) -> bytes:
    """Return the frames side by side, so many in a row, as a PNG without ground.

    Without a number of `columns`, as few rows as can be are about equally long.
    """
    if not columns:
        fewest = math.ceil(len(frames) / FRAMES_A_ROW)
        columns = math.ceil(len(frames) / max(1, fewest))
    rows = [frames[at : at + columns] for at in range(0, len(frames), columns)]
    step, high = SIDE + GAP, SIDE + BAR + GAP
    size = (step * max(map(len, rows)) - GAP, high * len(rows) - GAP)
    strip, font = Image.new("RGBA", size), find_font(frames)
    for down, row in enumerate(rows):
        for right, frame in enumerate(row):
            strip.paste(draw_frame(frame, font), (right * step, down * high))
    file = BytesIO()
    strip.save(file, "PNG")
    return file.getvalue()


def draw_animation(frames: Sequence[Frame]) -> bytes:
    """Return the frames one after the other, the last one longest, as an animated WebP."""
    font = find_font(frames)
    first, *rest = (draw_frame(frame, font) for frame in frames)
    times = [FRAME_MS] * len(rest) + [LAST_FRAME_MS]
    file = BytesIO()
    first.save(file, "WEBP", save_all=True, append_images=rest, duration=times, loop=0, quality=90)
    return file.getvalue()


def find_font(frames: Sequence[Frame]) -> Font:
    """Return the largest font in which each label fits below its picture."""
    labels = [wrap_label(frame.label) for frame in frames]
    widest = max((measure_label(line) for label in labels for line in label), default=0)
    most = TWO_LINES_SIZE if any(len(label) > 1 for label in labels) else LABEL_SIZE
    return ImageFont.load_default(min(most, LABEL_SIZE * MAX_LABEL_WIDTH / max(widest, 1)))


@lru_cache(maxsize=MAX_REMEMBERED)
def wrap_label(label: str) -> tuple[str, ...]:
    """Return a label's lines: two if it is too long for one, about equal, or parted at a comma."""
    places = [at for at, letter in enumerate(label) if letter == " "]
    fits = measure_label(label) * TWO_LINES_SIZE <= MAX_LABEL_WIDTH * LABEL_SIZE
    if fits or not places:
        return (label,)
    longest = {at: max(at, len(label) - at - 1) for at in places}
    best = min(places, key=lambda at: longest[at] * (COMMA if label[at - 1] == "," else 1))
    return label[:best], label[best + 1 :]


def measure_label(label: str) -> float:
    """Return the width of a label at its usual size, in pixels."""
    return ImageFont.load_default(LABEL_SIZE).getlength(label)


def draw_frame(frame: Frame, font: Font) -> Image.Image:
    """Return a picture in a square with its label below."""
    tile = Image.new("RGB", (SIDE, SIDE + BAR), BAR_COLOUR)
    tile.paste(read_square(frame.path, frame.path.stat().st_mtime_ns))
    pen = ImageDraw.Draw(tile)
    if frame.marked:
        pen.rectangle((0, 0, SIDE - 1, SIDE + BAR - 1), outline=MARK_COLOUR, width=MARK_WIDTH)
        pen.rectangle((0, SIDE, SIDE - 1, SIDE + BAR - 1), fill=MARK_COLOUR)
    label = "\n".join(wrap_label(frame.label))
    pen.text((SIDE / 2, SIDE + BAR / 2), label, INK, font, anchor="mm", align="center")
    return tile


def read_squares(paths: Iterable[Path]) -> None:
    """Read pictures that are there, so that strips of them are drawn soon after."""
    for path in paths:
        with suppress(OSError):  # whoever draws it says what is wrong
            read_square(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=MAX_REMEMBERED)
def read_square(path: Path, _modified: int) -> Image.Image:
    """Return a picture in a square, read once for all strips; tiny ones keep sharp pixels."""
    square = Image.new("RGB", (SIDE, SIDE), GROUND)
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    factor = SIDE / max(picture.size)
    how = Image.Resampling.NEAREST if factor.is_integer() else Image.Resampling.LANCZOS
    width, height = (max(1, round(side * factor)) for side in picture.size)
    square.paste(picture.resize((width, height), how), ((SIDE - width) // 2, (SIDE - height) // 2))
    return square
