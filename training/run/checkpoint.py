"""Saved states to continue from: safetensors only, so that nothing is ever unpickled."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from storage.folders import replacing
from training.recipe.recipe import Recipe
from training.run import optimizers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from torch import nn

WEIGHT = "weight"
EMA = "average"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a run after a step."""

    step: int
    recipe: Recipe  #: with everything a worker has chosen
    tensors: dict[str, Tensor]  #: by what they are and, after a dot, the parameter's name
    optimizer_scalars: dict[
        str, dict[str, float]
    ]  #: of the optimizer, by parameter: where not a tensor
    group_scalars: list[dict[str, float]]  #: the same of its groups
    scaler: dict[str, float]  #: the state of what scales gradients for fp16; else empty

    @property
    def losses(self) -> list[float]:
        """Give the loss of every step until here."""
        losses: list[float] = self.tensors["losses"].tolist()
        return losses

    @property
    def ema(self) -> dict[str, Tensor]:
        """Give the moving average, by the names of its parameters."""
        return {name: tensor for what, name, tensor in self.parameter_tensors() if what == EMA}

    def restore(
        self, parameters: dict[str, nn.Parameter], optimizer: torch.optim.Optimizer
    ) -> None:
        """Put parameters and optimizer back as they were."""
        for what, name, tensor in self.parameter_tensors():
            if what == WEIGHT:
                parameters[name].data.copy_(tensor)
            elif what != EMA:
                moment = tensor.to(parameters[name].device).clone()
                optimizer.state[parameters[name]][what] = moment
        for name, numbers in self.optimizer_scalars.items():
            optimizer.state[parameters[name]].update(numbers)
        for group, found in zip(optimizer.param_groups, self.group_scalars, strict=False):
            group.update(found)

    def parameter_tensors(self) -> Iterator[tuple[str, str, Tensor]]:
        """Give each tensor of a parameter: what it is, the parameter's name, and itself."""
        for key, tensor in self.tensors.items():
            what, dot, name = key.partition(".")
            if dot:
                yield what, name, tensor


def path_of_step(folder: Path, step: int) -> Path:
    """Name the checkpoint of a step."""
    return folder / f"step-{step:06d}.safetensors"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state of its own in the CPU's memory: what goes on does not change it."""

    step: int
    tensors: dict[str, Tensor]
    metadata: dict[str, str]

    def write(self, folder: Path) -> Path:
        """Write it, whole or not at all."""
        path = path_of_step(folder, self.step)
        with replacing(path) as part:
            save_file(self.tensors, part, self.metadata)
        return path


def take_snapshot(
    checkpoint: tuple[int, Recipe, list[float], dict[str, float]],
    parameters: dict[str, nn.Parameter],
    optimizer: torch.optim.Optimizer,
    average: Mapping[str, Tensor] = MappingProxyType({}),
) -> Snapshot:
    """Copy a state: step, recipe, losses and scaler, what is trained, optimizer and average."""
    step, recipe, losses, scaler = checkpoint
    tensors = {"losses": torch.tensor(losses, dtype=torch.float64)}
    numbers: dict[str, dict[str, float]] = {}
    for name, parameter in parameters.items():
        tensors[f"{WEIGHT}.{name}"] = copy_to_cpu(parameter)
        for what, value in optimizer.state.get(parameter, {}).items():
            if isinstance(value, Tensor):
                tensors[f"{what}.{name}"] = copy_to_cpu(value)
            else:
                numbers.setdefault(name, {})[what] = value
    for name, value in average.items():
        tensors[f"{EMA}.{name}"] = copy_to_cpu(value)
    told = {
        "numbers": json.dumps(numbers),
        "groups": json.dumps(optimizers.list_scalars(optimizer)),
    }
    told |= {"scaler": json.dumps(scaler)} if scaler else {}
    told |= {
        "step": str(step),
        "recipe": json.dumps(recipe.to_json()),
        "job": hash_request(recipe),
    }
    return Snapshot(step, tensors, told)


def remove_others(path: Path) -> None:
    """Remove every other checkpoint: those of whole networks are large."""
    for other in path.parent.glob("step-*.safetensors"):
        if other != path:
            other.unlink(missing_ok=True)


def read_newest(folder: Path, recipe: Recipe) -> Checkpoint | None:
    """Read the newest whole checkpoint of this recipe."""
    for path in sorted(folder.glob("step-*.safetensors"), reverse=True):
        try:
            found = read(path)
        except (SafetensorError, OSError, ValueError, KeyError):
            continue
        if hash_request(found.recipe) == hash_request(recipe):
            return found
    return None


def read(path: Path) -> Checkpoint:
    """Read one checkpoint."""
    with safe_open(path, framework="pt") as opened:
        told = opened.metadata()
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    names = ("numbers", "groups", "scaler")
    numbers, groups, scaler = (json.loads(told.get(name, "{}")) for name in names)
    recipe = Recipe.from_json(json.loads(told["recipe"]))
    return Checkpoint(int(told["step"]), recipe, tensors, numbers, groups, scaler)


def copy_to_cpu(value: Tensor) -> Tensor:
    """Copy a tensor to the CPU; some optimizers share one between parameters."""
    return value.detach().to("cpu", copy=True).contiguous()


def hash_request(recipe: Recipe) -> str:
    """Hash what the job asked for, leaving out what a worker chose."""
    asked = recipe.to_json() | {
        "precision": "", "threads": 0, "base_fingerprint": "", "family": "",
        "memory_fallbacks": (), "initializer_token": "",
    }  # fmt: skip
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
