"""A style's report card: a picture with its score, its grades and what it draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from bot import wording
from bot.wording import fill
from bot.wording.evaluation import format_grade

WIDTH, MARGIN, GAP = 1000, 50, 12  #: pixels
TILE, COLUMNS, ROWS = 216, 4, 2
BAR_WIDTH, BAR_HEIGHT, ROW_HEIGHT = 330, 16, 62
PAPER, INK, QUIET, TRACK = "#fbf7f0", "#26221e", "#857b70", "#e9e0d4"
GOOD, FAIR, POOR = "#3f8f5b", "#d69a2d", "#c4493d"
INVERTED = frozenset({"copies", "forgetting"})  #: of which less is better
GRADES_TOP, PAIR_SIDE, HERO_SIDE = 190, 135, 290


class NearestPair(NamedTuple):
    """A drawn picture, the photo that it is most like, and how much."""

    drawn: Image.Image
    photo: Image.Image
    cosine: float
    ssim: float


def draw_card(
    report: dict[str, Any], pictures: Sequence[Image.Image], pair: NearestPair | None = None
) -> Image.Image:
    """Return the report card; without a pair, the first picture is shown in its place."""
    pictures_top = GRADES_TOP + len(wording.evaluation.NAMES) * ROW_HEIGHT + 30
    rows = -(-min(len(pictures), COLUMNS * ROWS) // COLUMNS)
    height = pictures_top + rows * (TILE + GAP) + 70
    card = Image.new("RGB", (WIDTH, height), PAPER)
    draw_head(ImageDraw.Draw(card), report)
    for at, name in enumerate(wording.evaluation.NAMES):
        top = GRADES_TOP + at * ROW_HEIGHT
        draw_grade(ImageDraw.Draw(card), name, report["grades"][name], top)
    if pair is not None:
        paste_pair(card, pair)
    elif pictures:
        paste(card, pictures[0], (WIDTH - MARGIN - HERO_SIDE, GRADES_TOP), HERO_SIDE)
    paste_pictures(card, pictures[: COLUMNS * ROWS], pictures_top)
    foot = (MARGIN, height - 46)
    ImageDraw.Draw(card).text(foot, wording.evaluation.FOOT, QUIET, load_font(18))
    return card


def draw_head(paint: ImageDraw.ImageDraw, report: dict[str, Any]) -> None:
    """Draw the style's name, its base and its score."""
    score, right = report["score"], WIDTH - MARGIN
    number, spread = format_grade(score["mean"]), format_grade(score["spread"])
    room = right - MARGIN - paint.textlength(number, load_font(76)) - 30
    size = 54
    while size > 24 and paint.textlength(report["style"], load_font(size)) > room:
        size -= 2
    paint.text((MARGIN, 48), report["style"], INK, load_font(size))
    paint.text((MARGIN, 122), report["base"], QUIET, load_font(26))
    paint.text((right, 36), number, find_colour(score["mean"]), load_font(76), anchor="ra")
    head = fill(wording.evaluation.SCORE_HEAD, spread=spread, seeds=score["seeds"])
    paint.text((right, 126), head, QUIET, load_font(22), anchor="ra")


def draw_grade(paint: ImageDraw.ImageDraw, name: str, value: float | None, top: int) -> None:
    """Draw a grade as a bar, with its name and what it says."""
    left = MARGIN + 190
    paint.text((MARGIN, top), wording.evaluation.NAMES[name], INK, load_font(28))
    box = (left, top + 8, left + BAR_WIDTH, top + 8 + BAR_HEIGHT)
    paint.rounded_rectangle(box, BAR_HEIGHT // 2, TRACK)
    if value:
        good = 1 - value if name in INVERTED else value
        end = left + max(BAR_HEIGHT, round(BAR_WIDTH * min(1.0, value)))
        paint.rounded_rectangle((*box[:2], end, box[3]), BAR_HEIGHT // 2, find_colour(good))
    paint.text((left + BAR_WIDTH + 16, top), format_grade(value), INK, load_font(28))
    meaning = wording.evaluation.CARD_MEANINGS[name]
    paint.text((left, top + 30), meaning, QUIET, load_font(18))


def find_colour(value: float) -> str:
    """Return green, amber or red for a number of which 1 is best."""
    return GOOD if value >= 0.6 else FAIR if value >= 0.3 else POOR


def paste_pair(card: Image.Image, pair: NearestPair) -> None:
    """Paste a picture above the photo that it is most like, and how much it is."""
    left, top = WIDTH - MARGIN - PAIR_SIDE, GRADES_TOP
    for at, picture in enumerate((pair.drawn, pair.photo)):
        paste(card, picture, (left, top + at * (PAIR_SIDE + GAP)), PAIR_SIDE)
    said = fill(wording.evaluation.NEAREST, cosine=pair.cosine, ssim=pair.ssim)
    below = top + 2 * (PAIR_SIDE + GAP)
    paint, place = ImageDraw.Draw(card), (WIDTH - MARGIN, below)
    paint.multiline_text(place, said, QUIET, load_font(15), anchor="ra", align="right")


def paste_pictures(card: Image.Image, pictures: Sequence[Image.Image], top: int) -> None:
    """Paste pictures in rows."""
    for at, picture in enumerate(pictures):
        row, column = divmod(at, COLUMNS)
        place = (MARGIN + column * (TILE + GAP), top + row * (TILE + GAP))
        paste(card, picture, place, TILE)


def paste(card: Image.Image, picture: Image.Image, place: tuple[int, int], side: int) -> None:
    """Paste a picture as a square; a tiny one keeps its pixels as squares."""
    tiny = max(picture.size) * 2 <= side
    how = Image.Resampling.NEAREST if tiny else Image.Resampling.LANCZOS
    small = picture.convert("RGB").resize((side, side), how)
    card.paste(small, place)


def load_font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's own font."""
    return ImageFont.load_default(size)
