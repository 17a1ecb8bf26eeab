"""A training as a member gets it, run in this process: photos, the dial, the loop."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.events import StepBoundary
from storage.folders import JobFolder, write_json
from storage.planning.plan import plan_training
from storage.records import Catalog, Concept, Dial
from storage.requests import TrainRequest
from training import methods
from training.recipe.recipe import Recipe
from training.run.defaults import complete_recipe, rules
from training.run.loop import train

if TYPE_CHECKING:
    from training.bases.cache import BaseCache
    from training.run.loop import Task

PICTURES = Path(__file__).parents[1] / "pictures"
BASE = "embedded"
Photos = list[tuple[Path, str]]


@dataclass(frozen=True, slots=True)
class TrainingSpec:
    """What somebody wants trained."""

    method: str
    concept: Concept
    trigger: str
    photos: Photos
    seed: int = 0
    dial: Dial = Dial.BALANCED
    word: str = ""
    overrides: Mapping[str, Any] = field(default_factory=dict)  #: steps, rank, rate set by hand


def read_photos(name: str) -> Photos:
    """Find the pictures of a folder with their captions."""
    folder = PICTURES / name
    captions = json.loads((folder / "captions.json").read_text("utf-8"))
    return [(folder / file, caption) for file, caption in sorted(captions.items())]


def make_recipe(bases: BaseCache, lesson: TrainingSpec, **more: Any) -> Recipe:
    """Let the dial choose, as the bot and the trainer do; `more` is chosen by hand."""
    base, method = bases.find(BASE), methods.walk()[lesson.method]
    catalog = Catalog((base,), (method.METHOD,), rules=tuple(rules(lesson.method, base)))
    planned = plan_training(
        catalog,
        method=lesson.method,
        base=BASE,
        dial=lesson.dial,
        concept=lesson.concept,
        photos=len(lesson.photos),
    )
    request = TrainRequest(
        lesson.method, BASE, lesson.trigger, lesson.trigger, lesson.concept, lesson.dial,
        planned.steps, planned.rank, planned.learning_rate, planned.batch_size,
        lesson.seed, lesson.word,
    )  # fmt: skip
    files = [(path.name, caption) for path, caption in lesson.photos]
    request = replace(request, **lesson.overrides)
    return complete_recipe(request, base, files, accepted=time.time(), **more)


def start_training(
    place: Path, bases: BaseCache, lesson: TrainingSpec, frozen: Recipe
) -> tuple[JobFolder, Task]:
    """Lay a job folder out and begin its training."""
    folder = JobFolder(place)
    folder.photos.mkdir(parents=True)
    for path, _ in lesson.photos:
        shutil.copy(path, folder.photos)
    write_json(folder.request_file, {"kind": "train", "attempt": 1, "recipe": frozen.to_json()})
    return folder, train(folder, bases)


def advance_steps(task: Task, steps: int = 1) -> None:
    """Go on to the boundary after so many steps; the first boundary is before the first step."""
    while steps:
        steps -= isinstance(next(task), StepBoundary)
