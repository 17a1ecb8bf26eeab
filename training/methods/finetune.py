"""Fine-tuning: captions teach the whole network; what comes out is a model of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.records import Concept, Dial, Method, Rule
from training.methods import _full
from training.methods._full import check, worn
from training.networks.sizes import family, sizes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.records import Base
    from training.methods._full import Whole
    from training.networks.networks import Networks
    from training.recipe.recipe import Recipe

__all__ = ["KIND", "METHOD", "attach", "check", "rules", "worn"]

KIND = ""  # a model needs no other one
METHOD = Method("finetune", (0, 0))

# steps for one photo, for each further one, at least, at most
SMALL = {
    Dial.QUICK: (45, 1, 50, 65),
    Dial.BALANCED: (76, 1, 80, 105),
    Dial.THOROUGH: (120, 2, 140, 200),
}
FULL = {
    Dial.QUICK: (600, 20, 600, 1500),
    Dial.BALANCED: (1500, 40, 1500, 6000),
    Dial.THOROUGH: (3000, 80, 3000, 15_000),
}
# by family, else 1e-5: the examples of diffusers (text_to_image); musubi-tuner's docs/zimage.md
RATES = {"sdxl": 1e-6, "zimage": 1e-6}


def attach(networks: Networks, recipe: Recipe) -> Whole:
    """Make ready to train."""
    return _full.Whole(networks, recipe)


def rules(base: Base) -> Iterator[Rule]:
    """Say how steps and rate follow from the dial on a base; there is no rank."""
    if not family(base.family).model:
        return
    for dial, (one, more, least, most) in (SMALL if base.small else FULL).items():
        for concept in Concept:
            yield Rule(
                "finetune", base.name, concept, dial, one, more, least, most, rank=0,
                learning_rate=3e-4 if base.small else RATES.get(base.family, 1e-5),
                batch_size=8 if base.small else 1,
                file_bytes=sizes(base).model, reason=f"finetune_{concept}_{dial}",
            )  # fmt: skip
