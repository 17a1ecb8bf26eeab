"""How a run takes its steps, as its worker chose, and what keeps it from that."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from storage.records import Optimizer
from training.device import Device
from training.families import Family, walk
from training.recipe.recipe import AUTO, COMPILE, GRAPH, Recipe
from training.run import memory
from training.run.optimizers import make_capturable
from training.run.step import CompiledLoss, GraphStepper, OptimizerStep, Stepper

DROPOUT = "dropout draws random numbers"
log = logging.getLogger(__name__)


def settle(recipe: Recipe, device: Device, attempt: int) -> Recipe:
    """Return the recipe with how steps are computed, if the worker left that open.

    A CUDA graph runs the kernels of eager steps, so nothing that is learned depends on the choice;
    compiled steps round otherwise. The choice is in the recipe before the first step, so a resumed
    run repeats it. An attempt that ended before its first checkpoint may have died of a graph.
    """
    if recipe.stepper != AUTO:
        return recipe
    reason = find_obstacle(memory.recipe_at(recipe, 0), device)
    if attempt > 1:
        reason = reason or "the attempt before left no checkpoint"
    if reason:
        log.info("Steps are computed op by op: %s.", reason)
    else:
        log.info("Steps are replayed as CUDA graphs: nothing in this training prevents it.")
    return replace(recipe, stepper="" if reason else GRAPH)


def choose_stepper(step: OptimizerStep, recipe: Recipe, family: Family, device: Device) -> Stepper:
    """Return what takes a run's steps: the step itself, or it compiled, or replayed as a graph.

    A GPU replays what is compiled, too. A replay watches where the weights are.
    The log says what keeps a run from what the worker chose.
    """
    obstacle = find_obstacle(recipe, device)
    if recipe.stepper == COMPILE and DROPOUT not in obstacle:
        step = replace(step, loss=CompiledLoss(step.loss))
    elif recipe.stepper and obstacle:
        log.warning("Steps are computed op by op, not by %s: %s.", recipe.stepper, obstacle)
    if obstacle or not recipe.stepper:
        return step
    make_capturable(step.optimizer, device.torch_device)
    learned: Any = family.networks.attached  # the text encoders come and go unless they learn
    parts = [
        part for part in family.networks.parts if learned.learns_text or not part.is_text_encoder
    ]
    networks = (part.module for part in parts)
    fixed = [own for network in networks for own in network.parameters()]
    return GraphStepper(step, device.torch_device, fixed, device.cuda)


def find_obstacle(recipe: Recipe, device: Device) -> str:
    """Return what keeps steps from being the same kernels on the same memory; "" if nothing does.

    What a step reads from the device, or draws in it, cannot be captured.
    """
    family = walk().get(recipe.family)
    obstacles = {
        DROPOUT: recipe.dropout > 0,
        "the device has no CUDA graphs": device.cuda is None,
        "fp16 looks at every gradient": device.precision == "fp16",
        f"{recipe.optimizer} is not AdamW": recipe.optimizer is not Optimizer.ADAMW,
        "gradient checkpointing keeps random states": recipe.gradient_checkpointing,
        "the base is in 4 bits": recipe.nf4,
        "this family reads how long prompts are": family is None or family.OBJECTIVE == "flow",
    }
    return next((name for name, stands in obstacles.items() if stands), "")
