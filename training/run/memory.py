"""What a training gives up, a rung at a time, to fit into the memory there is.

A rung is taken before the first step, where the estimate asks for it, or at a checkpoint that the
training goes back to when memory has run out. Which and when stands in the recipe, so that the
same recipe goes down the same way again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

from storage.errors import JobError
from storage.records import Base, Optimizer
from storage.requests import TrainRequest
from training import methods
from training.families import walk
from training.networks import quantize
from training.networks.memory import MIB, needed, trained
from training.recipe.recipe import MemoryFallback, Recipe
from training.run.defaults import complete_recipe, rules
from training.run.optimizers import PACKAGES

if TYPE_CHECKING:
    from torch import Tensor

    from storage.records import Rule
    from training.bases.cache import BaseCache
    from training.networks.memory import Keeps

USABLE_SHARE = 0.92  #: of the memory, what may be planned with: an allocator leaves holes


def use_gradient_checkpointing(recipe: Recipe, step: int) -> Recipe | None:  # noqa: ARG001 - at any step
    """Keep less for the way back and compute it anew: a third more time, the same numbers."""
    return None if recipe.gradient_checkpointing else replace(recipe, gradient_checkpointing=True)


def use_adamw_8bit(recipe: Recipe, step: int) -> Recipe | None:
    """Keep an optimizer's moments in 8 bits: only of whole networks they take much.

    It cannot go on with moments that were kept otherwise.
    """
    here = find_spec(PACKAGES[Optimizer.ADAMW8BIT]) is not None
    fits = here and not step and not recipe.rank and recipe.optimizer is Optimizer.ADAMW
    return replace(recipe, optimizer=Optimizer.ADAMW8BIT) if fits else None


def drop_ema(recipe: Recipe, step: int) -> Recipe | None:
    """Keep no moving average of a whole network: what is learnt last counts more."""
    fits = not step and not recipe.rank and recipe.ema_decay
    return replace(recipe, ema_decay=0.0) if fits else None


def use_adafactor(recipe: Recipe, step: int) -> Recipe | None:
    """Keep a whole network's second moments by rows and columns, and no first ones: Adafactor."""
    whole = not step and not recipe.rank
    fits = whole and recipe.optimizer in {Optimizer.ADAMW, Optimizer.ADAMW8BIT}
    return replace(recipe, optimizer=Optimizer.ADAFACTOR) if fits else None


def accumulate_gradients(recipe: Recipe, step: int) -> Recipe | None:  # noqa: ARG001 - at any step
    """Take a batch in twice as many parts: as long, as large, other draws."""
    parts = recipe.gradient_accumulation_steps * 2
    return (
        replace(recipe, gradient_accumulation_steps=parts)
        if recipe.batch_size % parts == 0
        else None
    )


def quantize_to_nf4(recipe: Recipe, step: int) -> Recipe | None:  # noqa: ARG001 - at any step
    """Keep a frozen denoiser's layers in 4 bits: up to three times as long, not quite the base."""
    frozen = recipe.rank and not methods.find(recipe.method).TRAITS.reads_weights
    fits = frozen and not recipe.nf4 and quantize.here()
    return replace(recipe, nf4=True) if fits else None


FALLBACKS: dict[str, Callable[[Recipe, int], Recipe | None]] = {
    "gradient_checkpointing": use_gradient_checkpointing,
    "adamw_8bit": use_adamw_8bit,
    "accumulate": accumulate_gradients,
    "no_ema": drop_ema,
    "adafactor": use_adafactor,
    "nf4": quantize_to_nf4,
}


def recipe_at(recipe: Recipe, step: int) -> Recipe:
    """Give a recipe as it holds at a step: with the rungs that were taken until then."""
    for rung in recipe.memory_fallbacks:
        if rung.step <= step:
            recipe = FALLBACKS[rung.name](recipe, rung.step) or recipe
    return recipe


def falls_back_at(recipe: Recipe, step: int) -> bool:
    """Return whether a memory fallback takes effect at a step."""
    return any(fallback.step == step for fallback in recipe.memory_fallbacks)


def add_fallback(recipe: Recipe, step: int) -> Recipe | None:
    """Take the next rung at a step; None at the ladder's foot."""
    now = recipe_at(recipe, step)
    for name, rung in FALLBACKS.items():
        if rung(now, step) is not None:
            return replace(
                recipe, memory_fallbacks=(*recipe.memory_fallbacks, MemoryFallback(step, name))
            )
    return None


def fall_back(recipe: Recipe, step: int) -> Recipe:
    """Take the next rung, as memory has run out."""
    below = add_fallback(recipe, step)
    if below is None:
        raise JobError("memory_full")
    return below


def fit_to_device(recipe: Recipe, parameters: Mapping[str, Tensor], bases: BaseCache) -> Recipe:
    """Take the rungs that a device asks for before the first step; a bare processor asks none."""
    room, base = bases.device.usable_mib(), bases.find(recipe.base)
    if not room or base.small or recipe.memory_fallbacks:
        return recipe
    numbers = sum(parameter.numel() for parameter in parameters.values())
    return fit(recipe, walk()[base.family].COUNTS.memory, numbers, room)


def fit(recipe: Recipe, keeps: Keeps, numbers: int, limit_mib: int) -> Recipe:
    """Take rungs until a training of so many numbers fits into this room in MiB; 0 is any."""
    while (
        limit_mib
        and bytes_needed(recipe_at(recipe, 0), keeps, numbers) > USABLE_SHARE * limit_mib * MIB
    ):
        below = add_fallback(recipe, 0)
        if below is None:
            break
        recipe = below
    return recipe


def bytes_needed(recipe: Recipe, keeps: Keeps, numbers: int) -> int:
    """Return an upper bound of the GPU memory that training so many numbers needs, in bytes."""
    return needed(keeps, recipe, numbers, methods.find(recipe.method).TRAITS)


def default_recipe(rule: Rule, base: Base) -> Recipe:
    """Give the recipe that follows from a rule when nobody asks for anything else."""
    request = TrainRequest(
        rule.method, base.name, "name", "word", rule.concept, rule.dial,
        rule.steps, rule.rank, rule.learning_rate, rule.batch_size, 0,
    )  # fmt: skip
    return complete_recipe(request, base, [("photo.png", "")])


def estimate_memory(
    rule: Rule, base: Base, keeps: Keeps, room: int, precision: str = "bf16"
) -> Rule:
    """Write into a rule what it takes on a GPU with so many MiB, on the rung where it fits."""
    recipe = replace(default_recipe(rule, base), precision=precision)
    numbers = trained(keeps, recipe, rule.file_bytes)
    fitted = recipe_at(fit(recipe, keeps, numbers, room), 0)
    return replace(rule, memory_mib=bytes_needed(fitted, keeps, numbers) // MIB)


def list_trainable_families(room: int, precision: str = "bf16") -> dict[str, list[str]]:
    """Name the families on which a LoRA, and on which whole networks, fit into so many MiB."""
    found: dict[str, list[str]] = {}
    for method in ("lora", "finetune"):
        found[method] = []
        for name, family in walk().items():
            base = Base(name, name, name, name, family.RESOLUTION, "", "", present=True)
            needs = [
                estimate_memory(rule, base, family.COUNTS.memory, room, precision).memory_mib
                for rule in rules(method, base)
            ]
            if needs and 0 < min(needs) <= USABLE_SHARE * room:
                found[method].append(name)
    return found
