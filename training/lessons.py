"""What a shell asks to be trained: what was said, and the dial's numbers for the rest."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from storage import names
from storage.plan import plan, rate
from storage.requests import TrainRequest
from training.layout import base
from training.recipe import Recipe

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from storage.records import Catalog
    from training.folder import Source

NUMBERS = ("steps", "rank", "rate", "batch", "prior")  # the dial's, unless they were said
#: that any method may carry; unless they were said, they are the recipe's own
OPTIONS = (
    "ema", "offset", "silence", "decay", "shuffle", "dropout", "schedule", "optimizer", "keep",
    "text", "masked", "background", "sides",
)  # fmt: skip


def lesson(chosen: argparse.Namespace, sources: Sequence[Source], catalog: Catalog) -> Recipe:
    """Complete a training by the dial."""
    name = names.named(chosen.name)
    dialled = plan(
        catalog,
        None,
        method=chosen.method,
        base=chosen.base,
        dial=chosen.dial,
        concept=chosen.concept,
        photos=len(sources),
        rank=chosen.rank or 0,
    )
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
    photos = [(source.file, source.caption) for source in sources]
    more = {key: getattr(chosen, key) for key in OPTIONS if getattr(chosen, key) is not None}
    return Recipe.of(request, base(catalog, chosen.base), photos, accepted=time.time(), **more)
