"""DreamBooth (Ruiz et al. 2022, arXiv 2208.12242): a rare word with its class, and class pictures.

The whole network learns; with a rank, a LoRA does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

from storage.records import Base, Concept, Dial, Method, Rule
from training.lazy import Tensor
from training.methods import _full, lora
from training.methods._defaults import layer_defaults as defaults
from training.networks.counts import FamilyNumbers, file_sizes
from training.networks.keys import to_kohya_keys
from training.networks.networks import Attached, Networks
from training.networks.traits import MethodTraits
from training.recipe.recipe import Recipe

__all__ = ["METHOD", "TRAITS", "apply", "attach", "check", "defaults", "rules"]

METHOD = Method(
    "dreambooth", (0, 128), dropout=True, small_copy=True, title="DreamBooth",
    help="a whole model of one subject and its class; with a rank, a LoRA instead",
    rank_rules="lora", rank_help="rank of a LoRA to train instead",
)  # fmt: skip
TRAITS = MethodTraits()  # its files are models or, with a rank, LoRAs
#: class pictures, as Ruiz et al. and diffusers have it; on a tiny base
CLASS_IMAGES, FEW_CLASS_IMAGES = 200, 24

# steps for one photo, for each further one, at least, at most, rate, batch
SMALL = {
    Dial.QUICK: (60, 3, 80, 100, 3e-4, 4),
    Dial.BALANCED: (130, 4, 140, 200, 3e-4, 4),
    Dial.THOROUGH: (220, 8, 240, 400, 3e-4, 4),
}
FULL = {  # diffusers' example (dreambooth/README): 800 steps with class pictures, 2e-6 with text
    Dial.QUICK: (400, 10, 400, 800, 2e-6, 1),
    Dial.BALANCED: (800, 20, 800, 1600, 2e-6, 1),
    Dial.THOROUGH: (1200, 40, 1200, 3000, 2e-6, 1),
}


def attach(networks: Networks, recipe: Recipe) -> Attached:
    """Attach a LoRA if there is a rank, else train whole networks."""
    return lora.attach(networks, recipe) if recipe.rank else _full.FullNetworks(networks, recipe)


def check(networks: Networks, tensors: dict[str, Tensor]) -> None:
    """Refuse tensors that are neither a LoRA nor a model for these networks."""
    (lora.check if is_lora(tensors) else _full.check)(networks, tensors)


def apply(
    networks: Networks, tensors: dict[str, Tensor], word: str, strength: float
) -> AbstractContextManager[None]:
    """Apply a file inside the block."""
    wear = lora.apply if is_lora(tensors) else _full.apply
    return wear(networks, tensors, word, strength)


def is_lora(tensors: dict[str, Tensor]) -> bool:
    """Return whether a file is a LoRA."""
    return any(name.endswith(lora.KEY_ENDS) for name in to_kohya_keys(tensors))


def rules(base: Base, family: FamilyNumbers) -> Iterator[Rule]:
    """Return the rules of the dial without a rank, where whole networks are trained."""
    for dial, (one, more, least, most, rate, batch) in (SMALL if base.small else FULL).items():
        for concept in Concept:
            yield Rule(
                "dreambooth", base.name, concept, dial, one, more, least, most, rank=0,
                learning_rate=rate if base.small else min(rate, family.FULL_RATE),
                batch_size=batch,
                file_bytes=file_sizes(base, family).model, reason=f"class_{dial}",
                num_class_images=FEW_CLASS_IMAGES if base.small else CLASS_IMAGES,
            )  # fmt: skip
