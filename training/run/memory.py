"""Memory fallbacks: what a run gives up, one after the other, to fit into the GPU's memory.

A fallback is taken before the first step, if the estimate is above the memory there is, or at the
newest checkpoint, from which a run restarts after it ran out of memory. The recipe keeps which
were taken and at which step, so that a resumed run repeats them.

A fallback is a function of the recipe and the step that returns the recipe with less, or None
where it does not apply. Those that change what the optimizer keeps apply at step 0 only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.util import find_spec

from torch import Tensor

from storage.errors import JobError
from storage.records import Base, Optimizer, Rule
from storage.requests import TrainRequest
from training import methods
from training.bases.cache import BaseCache
from training.families import walk
from training.networks import quantize
from training.networks.memory import (
    MIB,
    USABLE_SHARE,
    MemoryCounts,
    count_parameters,
    training_bytes,
)
from training.recipe.recipe import MemoryFallback, Recipe
from training.run.defaults import complete_recipe, rules
from training.run.optimizers import PACKAGES


def take_eager_steps(recipe: Recipe, step: int) -> Recipe | None:  # noqa: ARG001 - at any step
    """Compute steps op by op: a graph keeps its memory while pictures are drawn."""
    return replace(recipe, stepper="") if recipe.stepper else None


def use_gradient_checkpointing(recipe: Recipe, step: int) -> Recipe | None:  # noqa: ARG001 - at any step
    """Recompute activations in the backward pass: a third slower, with the same results."""
    return None if recipe.gradient_checkpointing else replace(recipe, gradient_checkpointing=True)


def use_adamw_8bit(recipe: Recipe, step: int) -> Recipe | None:
    """Keep the moments of full fine-tuning in 8 bits; those of adapters are small."""
    installed = find_spec(PACKAGES[Optimizer.ADAMW8BIT]) is not None
    adamw = not step and not recipe.rank and recipe.optimizer is Optimizer.ADAMW
    return replace(recipe, optimizer=Optimizer.ADAMW8BIT) if installed and adamw else None


def drop_ema(recipe: Recipe, step: int) -> Recipe | None:
    """Keep no moving average in full fine-tuning: the last steps count more."""
    has_ema = not step and not recipe.rank and recipe.ema_decay
    return replace(recipe, ema_decay=0.0) if has_ema else None


def use_adafactor(recipe: Recipe, step: int) -> Recipe | None:
    """Use Adafactor in full fine-tuning: rows and columns of second moments, no first ones."""
    full = not step and not recipe.rank
    adamw = full and recipe.optimizer in {Optimizer.ADAMW, Optimizer.ADAMW8BIT}
    return replace(recipe, optimizer=Optimizer.ADAFACTOR) if adamw else None


def accumulate_gradients(recipe: Recipe, step: int) -> Recipe | None:  # noqa: ARG001 - at any step
    """Split a batch into twice as many parts: the same size and time, other noise."""
    steps = recipe.gradient_accumulation_steps * 2
    if recipe.batch_size % steps:
        return None
    return replace(recipe, gradient_accumulation_steps=steps)


def quantize_to_nf4(recipe: Recipe, step: int) -> Recipe | None:  # noqa: ARG001 - at any step
    """Keep the frozen denoiser in 4 bits: up to three times slower, and close to the base only."""
    frozen = recipe.rank and not methods.find(recipe.method).TRAITS.reads_weights
    possible = frozen and not recipe.nf4 and quantize.is_available()
    return replace(recipe, nf4=True) if possible else None


#: in the order in which they are taken
FALLBACKS: dict[str, Callable[[Recipe, int], Recipe | None]] = {
    "eager": take_eager_steps,
    "gradient_checkpointing": use_gradient_checkpointing,
    "adamw_8bit": use_adamw_8bit,
    "accumulate": accumulate_gradients,
    "no_ema": drop_ema,
    "adafactor": use_adafactor,
    "nf4": quantize_to_nf4,
}


def recipe_at(recipe: Recipe, step: int) -> Recipe:
    """Return the recipe with the fallbacks that were taken up to a step."""
    for fallback in recipe.memory_fallbacks:
        if fallback.step <= step:
            recipe = FALLBACKS[fallback.name](recipe, fallback.step) or recipe
    return recipe


def falls_back_at(recipe: Recipe, step: int) -> bool:
    """Return whether a memory fallback takes effect at a step."""
    return any(fallback.step == step for fallback in recipe.memory_fallbacks)


def add_fallback(recipe: Recipe, step: int) -> Recipe | None:
    """Return the recipe with the next fallback from a step on, None if there is none left."""
    now = recipe_at(recipe, step)
    for name, fallback in FALLBACKS.items():
        if fallback(now, step) is not None:
            taken = (*recipe.memory_fallbacks, MemoryFallback(step, name))
            return replace(recipe, memory_fallbacks=taken)
    return None


def fall_back(recipe: Recipe, step: int) -> Recipe:
    """Return the recipe with the next fallback; raise JobError if there is none left."""
    smaller = add_fallback(recipe, step)
    if smaller is None:
        raise JobError("memory_full")
    return smaller


def fit_to_device(recipe: Recipe, parameters: Mapping[str, Tensor], bases: BaseCache) -> Recipe:
    """Return the recipe with the fallbacks that the estimate asks for; a CPU needs none."""
    limit_mib, base = bases.device.usable_mib(), bases.find(recipe.base)
    if not limit_mib or base.small or recipe.memory_fallbacks:
        return recipe
    numbers = sum(parameter.numel() for parameter in parameters.values())
    return fit(recipe, walk()[base.family].COUNTS.memory, numbers, limit_mib)


def fit(recipe: Recipe, keeps: MemoryCounts, numbers: int, limit_mib: int) -> Recipe:
    """Return the recipe with the fallbacks with which training so many numbers fits; 0 is any."""
    usable = USABLE_SHARE * limit_mib * MIB
    while limit_mib and bytes_needed(recipe_at(recipe, 0), keeps, numbers) > usable:
        smaller = add_fallback(recipe, 0)
        if smaller is None:
            break
        recipe = smaller
    return recipe


def bytes_needed(recipe: Recipe, keeps: MemoryCounts, numbers: int) -> int:
    """Return an upper bound of the GPU memory that training so many numbers needs, in bytes."""
    return training_bytes(keeps, recipe, numbers, methods.find(recipe.method).TRAITS)


def default_recipe(rule: Rule, base: Base) -> Recipe:
    """Return the recipe that a rule makes without further options."""
    request = TrainRequest(
        rule.method, base.name, "name", "word", rule.concept, rule.dial,
        rule.steps, rule.rank, rule.learning_rate, rule.batch_size, 0,
    )  # fmt: skip
    return complete_recipe(request, base, [("photo.png", "")])


def estimate_memory(
    rule: Rule, base: Base, keeps: MemoryCounts, limit_mib: int, precision: str = "bf16"
) -> Rule:
    """Return a rule with the memory it takes on a GPU of so many MiB, with its fallbacks."""
    recipe = replace(default_recipe(rule, base), precision=precision)
    numbers = count_parameters(keeps, recipe, rule.file_bytes)
    fitted = recipe_at(fit(recipe, keeps, numbers, limit_mib), 0)
    return replace(rule, memory_mib=bytes_needed(fitted, keeps, numbers) // MIB)


def list_trainable_families(limit_mib: int, precision: str = "bf16") -> dict[str, list[str]]:
    """Return, for a LoRA and full fine-tuning, the families that fit into so many MiB."""
    families: dict[str, list[str]] = {}
    for method in ("lora", "finetune"):
        families[method] = []
        for name, family in walk().items():
            base = Base(name, name, name, name, family.RESOLUTION, "", "", present=True)
            needs = [
                estimate_memory(rule, base, family.COUNTS.memory, limit_mib, precision).memory_mib
                for rule in rules(method, base)
            ]
            if needs and 0 < min(needs) <= USABLE_SHARE * limit_mib:
                families[method].append(name)
    return families
