"""A style's report card: a picture with its score, its grades and what it draws."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
GRADES_TOP, NEAREST_SIDE = 190, 180


def draw_card(event: dict[str, Any], nearest: dict[str, Any]) -> Image.Image:
    """Return the report card of an evaluation."""
    pictures_top = GRADES_TOP + len(wording.evaluation.NAMES) * ROW_HEIGHT + 30
    height = pictures_top + ROWS * (TILE + GAP) + 70
    card = Image.new("RGB", (WIDTH, height), PAPER)
    draw_head(ImageDraw.Draw(card), event)
    for at, name in enumerate(wording.evaluation.NAMES):
        draw_grade(ImageDraw.Draw(card), name, event["grades"][name], GRADES_TOP + at * ROW_HEIGHT)
    folder = Path(event["folder"])
    paste_nearest(card, folder, nearest)
    shown = [folder / each["file"] for each in choose_pictures(event["pictures"])]
    paste_pictures(card, shown, pictures_top)
    foot = (MARGIN, height - 46)
    ImageDraw.Draw(card).text(foot, wording.evaluation.FOOT, QUIET, load_font(18))
    return card


def draw_head(paint: ImageDraw.ImageDraw, event: dict[str, Any]) -> None:
    """Draw the style's name, its base and its score."""
    paint.text((MARGIN, 48), event["style"], INK, load_font(54))
    paint.text((MARGIN, 122), event["base"], QUIET, load_font(26))
    score, right = event["score"], WIDTH - MARGIN
    colour = find_colour(score["mean"])
    paint.text((right, 36), f"{score['mean']:.2f}", colour, load_font(76), anchor="ra")
    head = fill(wording.evaluation.SCORE_HEAD, spread=score["spread"], seeds=score["seeds"])
    paint.text((right, 126), head, QUIET, load_font(22), anchor="ra")


def draw_grade(paint: ImageDraw.ImageDraw, name: str, value: float | None, top: int) -> None:
    """Draw a grade as a bar, with its name and what it says."""
    left = MARGIN + 190
    paint.text((MARGIN, top), wording.evaluation.NAMES[name], INK, load_font(28))
    box = (left, top + 8, left + BAR_WIDTH, top + 8 + BAR_HEIGHT)
    paint.rounded_rectangle(box, BAR_HEIGHT // 2, TRACK)
    if value:
        good = 1 - value if name in INVERTED else value
        end = left + max(BAR_HEIGHT, round(BAR_WIDTH * value))
        paint.rounded_rectangle((*box[:2], end, box[3]), BAR_HEIGHT // 2, find_colour(good))
    paint.text((left + BAR_WIDTH + 16, top), format_grade(value), INK, load_font(28))
    meaning = wording.evaluation.CARD_MEANINGS[name]
    paint.text((left, top + 30), meaning, QUIET, load_font(18))


def find_colour(value: float) -> str:
    """Return green, amber or red for a number of which 1 is best."""
    return GOOD if value >= 0.6 else FAIR if value >= 0.3 else POOR


def choose_pictures(pictures: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return as many pictures as there is room for: first one of each prompt, then others."""
    prompts = [each["prompt"] for each in pictures]
    order = sorted(range(len(pictures)), key=lambda at: (prompts[:at].count(prompts[at]), at))
    return [pictures[at] for at in order[: COLUMNS * ROWS]]


def paste_nearest(card: Image.Image, folder: Path, nearest: dict[str, Any]) -> None:
    """Paste the picture that is most like a photo beside that photo, and how much it is."""
    left, top = WIDTH - MARGIN - NEAREST_SIDE, GRADES_TOP
    for at, file in enumerate((nearest["file"], nearest["photo_file"])):
        paste(
            card,
            folder / file,
            (left, top + at * (NEAREST_SIDE // 4 * 3 + GAP)),
            NEAREST_SIDE // 4 * 3,
        )
    said = fill(wording.evaluation.NEAREST, cosine=nearest["cosine"], ssim=nearest["ssim"])
    below = top + 2 * (NEAREST_SIDE // 4 * 3 + GAP)
    ImageDraw.Draw(card).text((WIDTH - MARGIN, below), said, QUIET, load_font(15), anchor="ra")


def paste_pictures(card: Image.Image, files: Sequence[Path], top: int) -> None:
    """Paste pictures in rows."""
    for at, file in enumerate(files):
        row, column = divmod(at, COLUMNS)
        paste(card, file, (MARGIN + column * (TILE + GAP), top + row * (TILE + GAP)), TILE)


def paste(card: Image.Image, file: Path, place: tuple[int, int], side: int) -> None:
    """Paste a picture file as a square."""
    with Image.open(file) as opened:
        sampling = Image.Resampling.LANCZOS
        card.paste(opened.convert("RGB").resize((side, side), sampling), place)


def load_font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's own font."""
    return ImageFont.load_default(size)
