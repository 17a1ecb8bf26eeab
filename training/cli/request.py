"""What a shell asks to be trained: what was said, and the dial's numbers for the rest."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from storage import names
from storage.errors import UserError
from storage.options import options_table
from storage.planning.plan import combine_plans, optimizer_learning_rate, plan_training
from storage.records import Concept, Optimizer
from storage.requests import TrainRequest
from training.recipe.concepts import ConceptPhotos
from training.run.defaults import complete_recipe

if TYPE_CHECKING:
    import argparse

    from storage.records import Catalog
    from training.cli.photos import Source
    from training.recipe.recipe import Recipe

#: the dial's numbers, unless they are given
NUMBERS = ("steps", "rank", "learning_rate", "batch_size", "num_class_images")


@dataclass(frozen=True, slots=True)
class OtherFolder:
    """A further concept as it was said: its folder, and later its pictures."""

    folder: Path
    trigger: str
    concept: Concept
    class_word: str
    sources: Sequence[Source] = ()


def apart(chosen: argparse.Namespace) -> list[OtherFolder]:
    """Leave the first concept in what was said, and return the others."""
    folders = [chosen.photos, *chosen.also]
    triggers = chosen.trigger or ([""] if len(folders) == 1 else [])
    words, concepts = chosen.class_word or [""], chosen.concept or [Concept.SUBJECT]
    words, concepts = (
        each * len(folders) if len(each) == 1 else each for each in (words, concepts)
    )
    if not len(folders) == len(triggers) == len(words) == len(concepts):
        raise UserError("folders_uneven", folders=len(folders))
    chosen.trigger, chosen.class_word, chosen.concept = triggers[0], words[0], concepts[0]
    said = list(zip(folders, triggers, concepts, words, strict=True))[1:]
    return [
        OtherFolder(folder, names.clean_trigger(trigger), *rest) for folder, trigger, *rest in said
    ]


def lesson(
    chosen: argparse.Namespace,
    sources: Sequence[Source],
    catalog: Catalog,
    others: Sequence[OtherFolder] = (),
) -> Recipe:
    """Complete a training by the dial."""
    name = names.clean_name(chosen.name)
    first, *further = (
        plan_training(
            catalog,
            method=chosen.method,
            base=chosen.base,
            dial=chosen.dial,
            concept=concept,
            photos=len(photos),
            rank=chosen.rank or 0,
        )
        for concept, photos in [
            (chosen.concept, sources),
            *((other.concept, other.sources) for other in others),
        ]
    )
    dialled = combine_plans(first, further)
    own = {key: getattr(chosen, key) for key in NUMBERS}
    given = {option.name: getattr(chosen, option.name) for option in options_table()}
    options = {name: value for name, value in given.items() if value is not None}
    optimizer = options.get("optimizer", Optimizer.ADAMW)
    rate = optimizer_learning_rate(dialled.learning_rate, optimizer)
    dialled = replace(dialled, learning_rate=rate)
    request = TrainRequest(
        method=chosen.method,
        base=chosen.base,
        name=name,
        trigger=names.clean_trigger(chosen.trigger or names.trigger_from_name(name)),
        concept=chosen.concept,
        dial=chosen.dial,
        seed=chosen.seed,
        class_word=chosen.class_word,
        options=options,
        **{key: getattr(dialled, key) if v is None else v for key, v in own.items()},
    )
    start = catalog.find_base(chosen.base)
    concepts = tuple(
        ConceptPhotos.from_photos(other, start, captioned(other.sources)) for other in others
    )
    return complete_recipe(
        request, start, captioned(sources), accepted=time.time(), other_concepts=concepts
    )


def captioned(sources: Sequence[Source]) -> list[tuple[str, str]]:
    """Name the files of pictures with their captions."""
    return [(source.file, source.caption) for source in sources]
