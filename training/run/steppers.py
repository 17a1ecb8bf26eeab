"""Whether a run's steps are replayed as CUDA graphs, and what keeps them from it."""

from __future__ import annotations

import logging

from storage.records import Optimizer
from training.device import Device
from training.families import Family, walk
from training.recipe.recipe import GRAPH, Recipe
from training.run.optimizers import make_capturable
from training.run.step import GraphStepper, OptimizerStep, Stepper

log = logging.getLogger(__name__)


def choose_stepper(step: OptimizerStep, recipe: Recipe, family: Family, device: Device) -> Stepper:
    """Return what takes a run's steps: the step itself, or a replay where the worker chose that.

    A replay watches where the weights of all networks are. The log says what keeps a run from it.
    """
    if recipe.stepper != GRAPH:
        return step
    if obstacle := find_obstacle(recipe, device):
        log.warning("Steps are computed op by op, not as CUDA graphs: %s.", obstacle)
        return step
    make_capturable(step.optimizer, device.torch_device)
    networks = (part.module for part in family.networks.parts)
    fixed = [own for network in networks for own in network.parameters()]
    return GraphStepper(step, device.torch_device, fixed, device.cuda)


def find_obstacle(recipe: Recipe, device: Device) -> str:
    """Return what keeps steps from being the same kernels on the same memory; "" if nothing does.

    What a step reads from the device, or draws in it, cannot be captured.
    """
    family = walk().get(recipe.family)
    obstacles = {
        "the device has none": device.cuda is None,
        "fp16 looks at every gradient": device.precision == "fp16",
        f"{recipe.optimizer} is not AdamW": recipe.optimizer is not Optimizer.ADAMW,
        "gradient checkpointing keeps random states": recipe.gradient_checkpointing,
        "dropout draws random numbers": recipe.dropout > 0,
        "the base is in 4 bits": recipe.nf4,
        "this family reads how long prompts are": family is None or family.OBJECTIVE == "flow",
    }
    return next((name for name, stands in obstacles.items() if stands), "")
