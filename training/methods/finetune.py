"""Fine-tuning: captions teach the whole network; what comes out is a model of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from storage.records import Base, Concept, Dial, Method, Rule
from storage.requests import TrainRequest
from training.methods import _full
from training.methods._defaults import layer_defaults
from training.methods._full import FullNetworks, apply, check
from training.networks.counts import FamilyNumbers, file_sizes
from training.networks.networks import Networks
from training.networks.traits import KeyMarks, MethodTraits
from training.recipe.recipe import Recipe

__all__ = ["METHOD", "TRAITS", "apply", "attach", "check", "defaults", "rules"]

METHOD = Method(
    "finetune", (0, 0), small_copy=True, title="Fine-tuned model",
    help="a whole model from photos and captions; large and slow",
)  # fmt: skip
TRAITS = MethodTraits(modelspec="", marks=KeyMarks(model=True))
FULL_EMA_DECAY = 0.999  #: for whole networks

# steps for one photo, for each further one, at least, at most
SMALL = {
    Dial.QUICK: (45, 1, 50, 65),
    Dial.BALANCED: (76, 1, 80, 105),
    Dial.THOROUGH: (120, 2, 140, 200),
}
#: the same for photographs and other subjects, which need that many steps to be recognised
#: (benchmarks/RESULTS.md, photographs)
SMALL_SUBJECT = {
    Dial.QUICK: (160, 2, 160, 200),
    Dial.BALANCED: (250, 2, 250, 330),
    Dial.THOROUGH: (400, 4, 400, 600),
}
SMALL_RATE, SMALL_SUBJECT_RATE = 3e-4, 6e-4
FULL = {
    Dial.QUICK: (600, 20, 600, 1500),
    Dial.BALANCED: (1500, 40, 1500, 6000),
    Dial.THOROUGH: (3000, 80, 3000, 15_000),
}


def attach(networks: Networks, recipe: Recipe) -> FullNetworks:
    """Train every weight."""
    return _full.FullNetworks(networks, recipe)


def defaults(request: TrainRequest, base: Base, family: FamilyNumbers) -> dict[str, Any]:
    """Return the recipe's fields that the method decides."""
    usual = layer_defaults(request, base, family)
    return usual | {"rank": 0, "ema_decay": usual["ema_decay"] or FULL_EMA_DECAY}


def rules(base: Base, family: FamilyNumbers) -> Iterator[Rule]:
    """Return the rules of the dial; there is no rank."""
    full = (FULL, family.FULL_RATE, 1)
    small_subject, small = (SMALL_SUBJECT, SMALL_SUBJECT_RATE, 4), (SMALL, SMALL_RATE, 8)
    for concept in Concept:
        subject = concept is Concept.SUBJECT
        steps, rate, batch = (small_subject if subject else small) if base.small else full
        for dial, (one, more, least, most) in steps.items():
            yield Rule(
                "finetune", base.name, concept, dial, one, more, least, most, rank=0,
                learning_rate=rate, batch_size=batch,
                file_bytes=file_sizes(base, family).model, reason=f"network_{dial}",
            )  # fmt: skip
