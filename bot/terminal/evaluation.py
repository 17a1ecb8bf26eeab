"""What `safelight evaluate` prints, and its report card."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot import wording
from bot.terminal.reportcard import draw_card
from bot.wording import fill
from bot.wording.evaluation import describe_grade

MIN_LEAK = 0.1  #: of likeness; less is within the noise


def evaluation_lines(event: dict[str, Any]) -> Iterator[str]:
    """Write the report card, and yield a table in plain words."""
    said, card = wording.evaluation, Path(event["file"]).with_suffix(".png")
    nearest = find_nearest(event)
    draw_card(event, nearest).save(card)
    yield fill(said.TITLE, style=event["style"], base=event["base"])
    score, bound = event["score"], event["bindings"]
    facts = {"mean": score["mean"], "spread": score["spread"], "seeds": score["seeds"]}
    yield fill(said.SCORE, **facts)
    yield from (describe_grade(name, event) for name in said.NAMES)
    yield fill(said.BINDINGS, trigger=bound["trigger"], neither=bound["neither"])
    if "trigger_and_class" in bound:
        yield fill(said.BINDINGS_CLASS, likeness=bound["trigger_and_class"])
    if event["leak"] >= MIN_LEAK:
        yield fill(said.LEAK, leak=event["leak"])
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


def find_nearest(event: dict[str, Any]) -> dict[str, Any]:
    """Return the picture that is most like a photo: copies first."""
    pictures: list[dict[str, Any]] = event["pictures"]
    return max(pictures, key=lambda each: (each["copied"], each["cosine"] + each["ssim"]))
