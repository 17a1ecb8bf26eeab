"""What `safelight evaluate` prints, and its report card."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from bot import wording
from bot.reportcard import NearestPair, draw_card
from bot.wording import fill
from bot.wording.evaluation import describe_bindings, describe_grade, describe_sets, format_grade
from storage.planning.grades import choose_pictures, find_nearest


def evaluation_lines(event: dict[str, Any]) -> Iterator[str]:
    """Write the report card, and yield a table in plain words."""
    said, card = wording.evaluation, Path(event["file"]).with_suffix(".png")
    folder, nearest = Path(event["folder"]), find_nearest(event["pictures"])
    shown = [open_picture(folder / each["file"]) for each in choose_pictures(event["pictures"])]
    drawn, photo = (open_picture(folder / nearest[name]) for name in ("file", "photo_file"))
    draw_card(event, shown, NearestPair(drawn, photo, nearest["cosine"], nearest["ssim"])).save(
        card
    )
    yield fill(said.TITLE, style=event["style"], base=event["base"])
    score = event["score"]
    mean, spread = format_grade(score["mean"]), format_grade(score["spread"])
    obedience = "" if event["grades"]["obedience"] is None else said.SCORE_OBEDIENCE
    figures = {"mean": mean, "spread": spread, "seeds": score["seeds"]}
    yield fill(said.SCORE, **figures, obedience=obedience)
    yield from (describe_grade(name, event) for name in said.NAMES)
    yield from describe_bindings(event)
    yield from describe_sets(event)
    verdict = said.COPIED if nearest["copied"] else ""
    yield fill(
        said.COPY,
        file=nearest["file"],
        prompt=nearest["prompt"],
        cosine=nearest["cosine"],
        ssim=nearest["ssim"],
        verdict=verdict,
    )
    yield said.SEED_NOTE
    yield fill(
        said.WRITTEN,
        seconds=event["seconds"],
        file=event["file"],
        card=card,
        count=len(event["pictures"]),
        folder=event["folder"],
    )


def open_picture(path: Path) -> Image.Image:
    """Read a picture."""
    with Image.open(path) as picture:
        return picture.convert("RGB")
