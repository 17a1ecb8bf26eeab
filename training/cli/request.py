"""What a shell asks to be trained: what was said, and the dial's numbers for the rest."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from storage import names
from storage.errors import UserError
from storage.planning.plan import plan, rate, together
from storage.records import Concept
from storage.requests import TrainRequest
from training.recipe.concepts import Topic
from training.recipe.recipe import Recipe
from training.scheduler.layout import base

if TYPE_CHECKING:
    import argparse

    from storage.records import Catalog
    from training.cli.photos import Source

NUMBERS = ("steps", "rank", "rate", "batch", "prior")  # the dial's, unless they were said
#: that any method may carry; unless they were said, they are the recipe's own
OPTIONS = (
    "ema", "gamma", "offset", "silence", "decay", "shuffle", "dropout", "schedule", "optimizer",
    "keep", "text", "masked", "background", "sides",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Subject:
    """A further concept as it was said: its folder, and later its pictures."""

    folder: Path
    trigger: str
    concept: Concept
    word: str
    sources: Sequence[Source] = ()


def apart(chosen: argparse.Namespace) -> list[Subject]:
    """Leave the first concept in what was said, and return the others."""
    folders = [chosen.photos, *chosen.also]
    triggers = chosen.trigger or ([""] if len(folders) == 1 else [])
    words, concepts = chosen.word or [""], chosen.concept or [Concept.SUBJECT]
    words, concepts = (
        each * len(folders) if len(each) == 1 else each for each in (words, concepts)
    )
    if not len(folders) == len(triggers) == len(words) == len(concepts):
        raise UserError("folders_uneven", folders=len(folders))
    chosen.trigger, chosen.word, chosen.concept = triggers[0], words[0], concepts[0]
    said = list(zip(folders, triggers, concepts, words, strict=True))[1:]
    return [Subject(folder, names.word(trigger), *rest) for folder, trigger, *rest in said]


def lesson(
    chosen: argparse.Namespace,
    sources: Sequence[Source],
    catalog: Catalog,
    others: Sequence[Subject] = (),
) -> Recipe:
    """Complete a training by the dial."""
    name = names.named(chosen.name)
    first, *further = (
        plan(
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
    dialled = together(first, further)
    own = {key: getattr(chosen, key) for key in NUMBERS}
    dialled = replace(dialled, rate=rate(dialled.rate, chosen.optimizer))
    request = TrainRequest(
        method=chosen.method,
        base=chosen.base,
        name=name,
        trigger=names.word(chosen.trigger or names.made(name)),
        concept=chosen.concept,
        dial=chosen.dial,
        seed=chosen.seed,
        word=chosen.word,
        **{key: getattr(dialled, key) if v is None else v for key, v in own.items()},
    )
    more = {key: getattr(chosen, key) for key in OPTIONS if getattr(chosen, key) is not None}
    start = base(catalog, chosen.base)
    topics = tuple(Topic.of(other, start, captioned(other.sources)) for other in others)
    return Recipe.of(
        request, start, captioned(sources), accepted=time.time(), others=topics, **more
    )


def captioned(sources: Sequence[Source]) -> list[tuple[str, str]]:
    """Name the files of pictures with their captions."""
    return [(source.file, source.caption) for source in sources]
