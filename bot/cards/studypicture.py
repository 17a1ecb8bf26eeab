"""The pictures of a study: two side by side, one beside noise, and the result as a bar."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from bot import wording
from bot.wording import flatten
from storage.planning.study import StudyResult

SIDE, GAP, HEADER = 512, 24, 96  #: pixels
WIDTH = 2 * SIDE + 3 * GAP
FONT, SIDE_FONT = 48, 72  #: pixels: a phone shows a picture at a quarter of its width
MAX_NAME_CHARS = 36
SMALL_SIDE = (WIDTH - 4 * GAP) // 3  #: of a picture in a result
BAR, AXIS, THICK = 72, 96, 6  #: pixels high
GROUND, INK, GREY = "#313338", "#f2f3f5", "#80848e"
COLOURS = ("#5865f2", "#f0b232")  #: of the first side and the second
BAR_COLOURS = ((COLOURS[0], INK), (GREY, INK), (COLOURS[1], GROUND))  #: of bar and number
NOISE_SIDE = 64  #: squares of noise beside each other
NOISE_SEED = 7


def open_picture(path: Path | io.BytesIO, side: int = SIDE) -> Image.Image:
    """Return a picture so many pixels wide; a tiny one keeps its pixels as squares."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    small = max(picture.size) * 2 <= side
    sharp = Image.Resampling.NEAREST if small else Image.Resampling.LANCZOS
    scale = side / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    whole = Image.new("RGB", (side, side), GROUND)
    whole.paste(picture.resize(size, sharp), ((side - size[0]) // 2, (side - size[1]) // 2))
    return whole


def shuffle_pixels(path: Path) -> Image.Image:
    """Return a picture's pixels in random order: its colours, and nothing to be seen."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB").resize((NOISE_SIDE, NOISE_SIDE), Image.Resampling.BOX)
    raw = picture.tobytes()
    pixels = [raw[at : at + 3] for at in range(0, len(raw), 3)]
    random.Random(NOISE_SEED).shuffle(pixels)  # noqa: S311 (noise)
    noise = Image.frombytes("RGB", picture.size, b"".join(pixels))
    return noise.resize((SIDE, SIDE), Image.Resampling.NEAREST)


def draw_pair(left: Image.Image, right: Image.Image) -> bytes:
    """Return two pictures side by side as a PNG, A and B above them."""
    whole = Image.new("RGB", (WIDTH, HEADER + SIDE + GAP), GROUND)
    paste_pair(whole, (left, right), HEADER)
    for place, name in enumerate(wording.study.SIDES):
        write(whole, name, (column(place) + SIDE // 2, HEADER // 2), size=SIDE_FONT)
    return encode(whole)


def draw_result(
    names: tuple[str, str], pairs: Sequence[tuple[Path, Path]], result: StudyResult
) -> bytes:
    """Return each side's pictures in a row under its name, and the voters' preference; a PNG."""
    row = HEADER + SMALL_SIDE if pairs else HEADER
    height = 2 * row + 2 * GAP + BAR + AXIS
    whole = Image.new("RGB", (WIDTH, height), GROUND)
    for side, name in enumerate(names):
        top = side * row
        write(whole, flatten(name, MAX_NAME_CHARS), (WIDTH // 2, top + HEADER // 2), COLOURS[side])
        left = (WIDTH - len(pairs) * (SMALL_SIDE + GAP) + GAP) // 2
        for number, pair in enumerate(pairs):
            picture = open_picture(pair[side], SMALL_SIDE)
            whole.paste(picture, (left + number * (SMALL_SIDE + GAP), top + HEADER))
    draw_bar(whole, result, height - GAP - AXIS - BAR)
    return encode(whole)


def draw_bar(whole: Image.Image, result: StudyResult, top: int) -> None:
    """Draw how many voters preferred which side, and below it the interval around that share."""
    pen, width = ImageDraw.Draw(whole), WIDTH - 2 * GAP
    counts = (result.first, result.neither, result.second)
    left = float(GAP)
    for count, (colour, ink) in zip(counts, BAR_COLOURS, strict=True):
        right = left + width * count / max(1, result.voters)
        if count:
            pen.rectangle((left, top, right, top + BAR), colour)
            write(whole, str(count), (round((left + right) / 2), top + BAR // 2), ink)
        left = right
    low, high = result.interval
    if result.leader:  # the second side leads, and it is on the right
        low, high = 1 - high, 1 - low
    line = top + BAR + AXIS // 4
    ends = [GAP + round(width * share) for share in (low, high)]
    pen.line((ends[0], line, ends[1], line), INK, THICK)
    for end in ends:
        pen.line((end, line - THICK, end, line + THICK), INK, THICK)
    pen.line((WIDTH // 2, line - 2 * THICK, WIDTH // 2, line + 2 * THICK), GREY, 2)
    write(whole, wording.study.HALF, (WIDTH // 2, top + BAR + 3 * AXIS // 4), GREY)


def column(place: int) -> int:
    """Return where a side begins, in pixels from the left."""
    return GAP + place * (SIDE + GAP)


def paste_pair(whole: Image.Image, pictures: tuple[Image.Image, Image.Image], top: int) -> None:
    """Paste two pictures beside each other."""
    for place, picture in enumerate(pictures):
        whole.paste(picture, (column(place), top))


def write(
    whole: Image.Image, said: str, at: tuple[int, int], colour: str = INK, size: int = FONT
) -> None:
    """Write a line around a place."""
    font = ImageFont.load_default(size)
    ImageDraw.Draw(whole).text(at, said, colour, font, anchor="mm", stroke_width=0.6)


def encode(picture: Image.Image) -> bytes:
    """Return a picture as a PNG."""
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
