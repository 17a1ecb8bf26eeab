"""Fine-tuning: captions teach the whole network; what comes out is a model of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from storage.records import Base, Concept, Dial, Method, Rule
from storage.requests import TrainRequest
from training.methods import _full
from training.methods._defaults import (
    AROUND,
    MEASURED,
    DialNumbers,
    Numbers,
    both,
    layer_defaults,
    make_rule,
)
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

SMALL: DialNumbers = {
    # photographs and other subjects need that many steps to be recognised
    (Concept.SUBJECT, Dial.QUICK): Numbers(160, 2, 160, 200, 0, 6e-4, 4, AROUND),
    (Concept.SUBJECT, Dial.BALANCED): Numbers(250, 2, 250, 330, 0, 6e-4, 4, MEASURED),
    (Concept.SUBJECT, Dial.THOROUGH): Numbers(400, 4, 400, 600, 0, 6e-4, 4, AROUND),
    (Concept.LOOK, Dial.QUICK): Numbers(45, 1, 50, 65, 0, 3e-4, 8, AROUND),
    (Concept.LOOK, Dial.BALANCED): Numbers(76, 1, 80, 105, 0, 3e-4, 8, MEASURED),
    (Concept.LOOK, Dial.THOROUGH): Numbers(120, 2, 140, 200, 0, 3e-4, 8, AROUND),
}
_SOURCE = (
    "rate: diffusers, examples/text_to_image, for SD and SDXL, musubi-tuner for Z-Image; steps: "
    "our choice, up to diffusers' 15,000 for hundreds of photos"
)
#: the rate is the family's
FULL = both(
    {
        Dial.QUICK: Numbers(600, 20, 600, 1500, 0, 0, 1, _SOURCE),
        Dial.BALANCED: Numbers(1500, 40, 1500, 6000, 0, 0, 1, _SOURCE),
        Dial.THOROUGH: Numbers(3000, 80, 3000, 15_000, 0, 0, 1, _SOURCE),
    }
)


def attach(networks: Networks, recipe: Recipe) -> FullNetworks:
    """Train every weight."""
    return _full.FullNetworks(networks, recipe)


def defaults(request: TrainRequest, base: Base, family: FamilyNumbers) -> dict[str, Any]:
    """Return the recipe's fields that the method decides."""
    usual = layer_defaults(request, base, family)
    return usual | {"rank": 0, "ema_decay": usual["ema_decay"] or FULL_EMA_DECAY}


def rules(base: Base, family: FamilyNumbers) -> Iterator[Rule]:
    """Return the rules of the dial; there is no rank."""
    for choice, numbers in (SMALL if base.small else FULL).items():
        rate = numbers.learning_rate or family.FULL_RATE
        own, size = numbers._replace(learning_rate=rate), file_sizes(base, family).model
        yield make_rule("finetune", base, choice, own, size)
