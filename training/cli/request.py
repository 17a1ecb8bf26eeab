"""A training as a shell asks for it: what was given, and the dial's numbers for the rest."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from storage import names
from storage.errors import UserError
from storage.planning.plan import Plan, combine_plans, optimizer_learning_rate, plan_training
from storage.planning.prompts import check_own_prompts
from storage.planning.verdicts import count_different
from storage.records import Base, Catalog, Concept, Dial, Optimizer
from storage.requests import TrainRequest
from training.cli.arguments import TrainArguments
from training.cli.photos import FolderPhoto
from training.recipe.concepts import ConceptPhotos, class_prompt, list_class_photos
from training.recipe.preparation import prepare_photos
from training.recipe.recipe import Recipe
from training.run.defaults import complete_recipe

#: the dial's numbers, unless they are given
NUMBERS = ("steps", "rank", "learning_rate", "batch_size", "num_class_images")
DEFAULT_BASE = "embedded"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ConceptFolder:
    """A concept to teach: what it is, its folder, and its photos once they are read."""

    folder: Path
    trigger: str
    concept: Concept
    class_word: str
    photos: Sequence[FolderPhoto] = ()

    def captions(self) -> list[tuple[str, str]]:
        """Return the photos' names in the job folder, each with its caption."""
        return [(photo.file, photo.caption) for photo in self.photos]


def list_concepts(given: TrainArguments) -> list[ConceptFolder]:
    """Pair each folder with its trigger, concept and class word.

    Raises UserError "folders_uneven" if they cannot be paired, and for own prompts beyond limits.
    """
    check_own_prompts(given.sample_prompt, UserError)
    folders = [given.photos, *given.more_photos]
    triggers = list(given.trigger) or ([""] if len(folders) == 1 else [])
    concepts = repeat_one(given.concept or [Concept.SUBJECT], len(folders))
    words = repeat_one(given.class_word or [""], len(folders))
    if not len(folders) == len(triggers) == len(words) == len(concepts):
        raise UserError("folders_uneven", folders=len(folders))
    triggers[0] = triggers[0] or names.trigger_from_name(names.clean_name(given.name))
    return [
        ConceptFolder(folder, names.clean_trigger(trigger), concept, word)
        for folder, trigger, concept, word in zip(folders, triggers, concepts, words, strict=True)
    ]


def repeat_one(values: list[T], count: int) -> list[T]:
    """Return a single value `count` times; several values as they are."""
    return values * count if len(values) == 1 else values


def make_recipe(
    given: TrainArguments,
    concepts: Sequence[ConceptFolder],
    catalog: Catalog,
    class_photos: Sequence[FolderPhoto] = (),
) -> Recipe:
    """Complete a training by the dial's numbers; with class photos, no class images are drawn."""
    if class_photos and given.num_class_images is None:
        given = replace(given, num_class_images=0)
    first, *others = concepts
    base = catalog.find_base(given.base or DEFAULT_BASE)
    dial = given.dial or Dial.BALANCED
    request = TrainRequest(
        method=given.method,
        base=base.name,
        name=names.clean_name(given.name),
        trigger=first.trigger,
        concept=first.concept,
        dial=dial,
        seed=given.seed,
        class_word=first.class_word,
        options=dict(given.options),
        sample_prompts=tuple(given.sample_prompt),
        **choose_numbers(given, plan_concepts(given, concepts, catalog, base, dial)),
    )
    transparent = [photo.file for each in concepts for photo in each.photos if photo.transparent]
    check_backgrounds(given.options, transparent)
    captions = [(photo.file, photo.caption) for photo in class_photos]
    recipe = complete_recipe(
        request, base, first.captions(), transparent, accepted=read_date(),
        other_concepts=tuple(
            ConceptPhotos.from_photos(other, base, other.captions()) for other in others
        ),
        class_photos=list_class_photos(captions, first.trigger, class_prompt(request, base)),
    )  # fmt: skip
    photos = chain(*(each.photos for each in concepts), class_photos)
    return prepare_photos(recipe, {photo.file: photo.facts() for photo in photos})


def check_backgrounds(options: Mapping[str, Any], transparent: Sequence[str]) -> None:
    """Raise UserError if photos shall be laid on backgrounds and none is transparent."""
    if options.get("random_backgrounds") and not transparent:
        raise UserError("transparent_missing")


def read_date() -> float:
    """Return the date to write into the file, in unix seconds: SOURCE_DATE_EPOCH, else now."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")  # reproducible-builds.org
    return float(given) if given.isdecimal() else time.time()


def plan_concepts(
    given: TrainArguments, concepts: Sequence[ConceptFolder], catalog: Catalog,
    base: Base, dial: Dial,
) -> Plan:  # fmt: skip
    """Return the dial's plan for all concepts together."""
    first, *others = (
        plan_training(
            catalog, method=given.method, base=base.name, dial=dial, concept=each.concept,
            photos=len(each.photos), rank=given.rank or 0,
            different=count_different([photo.checked for photo in each.photos]),
        )
        for each in concepts
    )  # fmt: skip
    return combine_plans(first, others)


def choose_numbers(given: TrainArguments, plan: Plan) -> dict[str, Any]:
    """Return the numbers that were given, and the plan's for the others."""
    optimizer = given.options.get("optimizer", Optimizer.ADAMW)
    rate = optimizer_learning_rate(plan.learning_rate, optimizer)
    plan = replace(plan, learning_rate=rate)
    numbers = {name: getattr(given, name) for name in NUMBERS}
    return {n: getattr(plan, n) if value is None else value for n, value in numbers.items()}
