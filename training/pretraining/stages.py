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

STAGES = (
    "pictures", "photos", "vae", "latents", "scenes", "unet", "content_teacher", "style_teacher",
    "blip", "export", "limits", "benchmark_pictures", "score",
)  # fmt: skip
#: old names of stages (until 2026-11), still accepted and found in older work folders
OLD_NAMES = {
    "tutor": "content_teacher",
    "stylist": "style_teacher",
    "exhibits": "benchmark_pictures",
    "examiner": "judge_training",
}
FINISHED = "finished.json"


def run_all(work: Path, perform: Callable[[str], None]) -> None:
    """Run every stage that is not finished, and mark it as finished."""
    for name in STAGES:
        if name not in read_finished(work):
            mark_finished(work, {name: run_timed(name, perform)})


def run_timed(name: str, perform: Callable[[str], None]) -> int:
    """Run a stage; print and return how long it took, in seconds."""
    started = time.monotonic()
    perform(name)
    seconds = round(time.monotonic() - started)
    print(f"{name}: {seconds} s", flush=True)
    return seconds


def read_finished(work: Path) -> dict[str, int]:
    """Return the stages that are finished, and the seconds each took."""
    path = work / FINISHED
    known: dict[str, int] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return {current_name(name): seconds for name, seconds in known.items()}


def current_name(stage: str) -> str:
    """Return a stage's current name."""
    return OLD_NAMES.get(stage, stage)


def rename_checkpoints(work: Path) -> None:
    """Rename the checkpoints of an older work folder to the stages' current names."""
    for old, new in OLD_NAMES.items():
        if (work / f"{old}.ckpt").exists():
            (work / f"{old}.ckpt").replace(work / f"{new}.ckpt")


def mark_finished(work: Path, more: dict[str, int]) -> None:
    """Record stages as finished, with the seconds each took."""
    write_json(work / FINISHED, read_finished(work) | more)
