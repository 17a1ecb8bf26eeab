"""The stages of the recipe in their order, and which of them are finished in a work folder."""

# ruff: noqa: T201  # a stage prints what it measured

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from storage.folders import write_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ALL = (
    "pictures", "vae", "latents", "scenes", "unet", "tutor", "stylist", "blip",
    "export", "exhibits", "score",
)  # fmt: skip
FINISHED = "finished.json"


def through(work: Path, perform: Callable[[str], None]) -> None:
    """Perform every stage that is not finished, and remember each."""
    for name in ALL:
        if name not in finished(work):
            remember(work, {name: timed(name, perform)})


def timed(name: str, perform: Callable[[str], None]) -> int:
    """Perform a stage and print how long it took, in seconds."""
    started = time.monotonic()
    perform(name)
    seconds = round(time.monotonic() - started)
    print(f"{name}: {seconds} s", flush=True)
    return seconds


def finished(work: Path) -> dict[str, int]:
    """Give the stages that are finished, with their seconds."""
    path = work / FINISHED
    known: dict[str, int] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return known


def remember(work: Path, more: dict[str, int]) -> None:
    """Count stages as finished."""
    write_json(work / FINISHED, finished(work) | more)
