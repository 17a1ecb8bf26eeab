"""A training as a member gets it, run in this process: photos, the dial's settings, the loop."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from storage.events import StepBoundary
from storage.folders import JobFolder, write_json, write_whole
from storage.photos.pixels import check_picture
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
    """The method, photos and settings of one training."""

    method: str
    concept: Concept
    trigger: str
    photos: Photos
    seed: int = 0
    dial: Dial = Dial.BALANCED
    word: str = ""
    overrides: Mapping[str, Any] = field(default_factory=dict)  #: e.g. steps, rank, learning_rate
    max_file_bytes: int = 0  #: above which a smaller copy is made, too; 0 is never


def read_photos(name: str) -> Photos:
    """Return the pictures of a folder with their captions."""
    folder = PICTURES / name
    captions = json.loads((folder / "captions.json").read_text("utf-8"))
    return [(folder / file, caption) for file, caption in sorted(captions.items())]


def make_recipe(bases: BaseCache, training_spec: TrainingSpec, **more: Any) -> Recipe:
    """Return the dial's recipe, as the bot and the trainer make it; `more` overrides it."""
    base, method = bases.find(BASE), methods.walk()[training_spec.method]
    catalog = Catalog((base,), (method.METHOD,), rules=tuple(rules(training_spec.method, base)))
    planned = plan_training(
        catalog,
        method=training_spec.method,
        base=BASE,
        dial=training_spec.dial,
        concept=training_spec.concept,
        photos=len(training_spec.photos),
    )
    request = TrainRequest(
        training_spec.method, BASE, training_spec.trigger, training_spec.trigger,
        training_spec.concept, training_spec.dial,
        planned.steps, planned.rank, planned.learning_rate, planned.batch_size,
        training_spec.seed, training_spec.word,
    )  # fmt: skip
    files = [(path.name, caption) for path, caption in training_spec.photos]
    request = replace(request, **training_spec.overrides)
    transparent = [path.name for path, _ in training_spec.photos if is_transparent(path)]
    more = {"max_file_bytes": training_spec.max_file_bytes} | more
    return complete_recipe(request, base, files, transparent, accepted=time.time(), **more)


def is_transparent(path: Path) -> bool:
    """Return whether a photo is transparent as the job has it: an opaque alpha is dropped."""
    with Image.open(BytesIO(check_picture(path.read_bytes()).pixels)) as kept:
        return kept.mode == "RGBA"


def start_training(
    place: Path, bases: BaseCache, training_spec: TrainingSpec, recipe: Recipe
) -> tuple[JobFolder, Task]:
    """Write a job folder and start its training."""
    folder = JobFolder(place)
    lay_out(folder, training_spec, recipe)
    return folder, train(folder, bases)


def lay_out(folder: JobFolder, training_spec: TrainingSpec, recipe: Recipe) -> None:
    """Write a new job folder."""
    folder.photos.mkdir(parents=True)
    for path, _ in training_spec.photos:
        write_whole(folder.photos / path.name, check_picture(path.read_bytes()).pixels)
    write_json(folder.request_file, {"kind": "train", "attempt": 1, "recipe": recipe.to_json()})


def advance_steps(task: Task, steps: int = 1) -> None:
    """Advance by so many steps; the first boundary is before the first step."""
    while steps:
        steps -= isinstance(next(task), StepBoundary)
