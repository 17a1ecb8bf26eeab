"""DreamBooth (Ruiz et al. 2022, arXiv 2208.12242): a rare word with its class, and class pictures.

The whole network learns; with a rank, a LoRA does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

from storage.records import Base, Dial, Method, Rule
from training.lazy import Tensor
from training.methods import _full, lora
from training.methods._defaults import AROUND, MEASURED, Numbers, both, make_rule
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

SMALL = both(
    {
        Dial.QUICK: Numbers(60, 3, 80, 100, 0, 3e-4, 4, AROUND),
        Dial.BALANCED: Numbers(130, 4, 140, 200, 0, 3e-4, 4, MEASURED),
        Dial.THOROUGH: Numbers(220, 8, 240, 400, 0, 3e-4, 4, AROUND),
    }
)
_RATE = "rate: the same with text encoder (2e-6), at most that of fine-tuning the family"
FULL = both({
    Dial.QUICK: Numbers(
        400, 10, 400, 800, 0, 2e-6, 1,
        f"steps: diffusers, examples/dreambooth without class pictures (400); {_RATE}",
    ),
    Dial.BALANCED: Numbers(
        800, 20, 800, 1600, 0, 2e-6, 1,
        f"steps: diffusers, examples/dreambooth with 200 class pictures (800); {_RATE}",
    ),
    Dial.THOROUGH: Numbers(
        1200, 40, 1200, 3000, 0, 2e-6, 1,
        f"steps: our choice, half more than diffusers' examples/dreambooth; {_RATE}",
    ),
})  # fmt: skip


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
    images = FEW_CLASS_IMAGES if base.small else CLASS_IMAGES
    for choice, numbers in (SMALL if base.small else FULL).items():
        rule = make_rule("dreambooth", base, choice, numbers, file_sizes(base, family).model)
        rate = rule.learning_rate if base.small else min(rule.learning_rate, family.FULL_RATE)
        yield replace(rule, learning_rate=rate, num_class_images=images)
