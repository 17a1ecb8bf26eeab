"""Checkpoints to resume from: safetensors only, so that nothing is ever unpickled."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from storage.folders import replacing
from training.recipe.recipe import Recipe
from training.run import optimizers

WEIGHT = "weight"
EMA = "average"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a run after a step."""

    step: int
    recipe: Recipe  #: with everything that a worker chose
    tensors: dict[str, Tensor]  #: "losses", and e.g. "weight.<parameter>"
    optimizer_scalars: dict[str, dict[str, float]]  #: by parameter: state that is no tensor
    group_scalars: list[dict[str, float]]  #: by parameter group: what the optimizer has changed
    scaler: dict[str, float]  #: state of the gradient scaler for fp16; else empty
    seconds: float = 0.0  #: that the run had taken, in all attempts

    @property
    def losses(self) -> list[float]:
        """The loss of every step until here."""
        losses: list[float] = self.tensors["losses"].tolist()
        return losses

    @property
    def ema(self) -> dict[str, Tensor]:
        """The moving averages, by parameter."""
        return {name: tensor for what, name, tensor in self.parameter_tensors() if what == EMA}

    def restore(
        self, parameters: dict[str, nn.Parameter], optimizer: torch.optim.Optimizer
    ) -> None:
        """Set parameters and optimizer to their state at the checkpoint."""
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
        """Yield each tensor of a parameter: what it is, the parameter's name, and the tensor."""
        for key, tensor in self.tensors.items():
            what, dot, name = key.partition(".")
            if dot:
                yield what, name, tensor


def path_of_step(folder: Path, step: int) -> Path:
    """Return where the checkpoint of a step lies."""
    return folder / f"step-{step:06d}.safetensors"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy of a run's state in CPU memory, which later steps do not change."""

    step: int
    tensors: dict[str, Tensor]
    metadata: dict[str, str]

    def write(self, folder: Path) -> Path:
        """Write the checkpoint whole or not at all."""
        path = path_of_step(folder, self.step)
        with replacing(path) as part:
            save_file(self.tensors, part, self.metadata)
        return path


def take_snapshot(
    state: tuple[int, Recipe, list[float], dict[str, float]],
    parameters: dict[str, nn.Parameter],
    optimizer: torch.optim.Optimizer,
    ema: Mapping[str, Tensor] = MappingProxyType({}),
    seconds: float = 0.0,
) -> Snapshot:
    """Copy a run's state (step, recipe, losses, gradient scaler) and its tensors to the CPU.

    `seconds` is how long the run has taken so far.
    """
    step, recipe, losses, scaler = state
    tensors = {"losses": torch.tensor(losses, dtype=torch.float64)}
    scalars: dict[str, dict[str, float]] = {}
    for name, parameter in parameters.items():
        tensors[f"{WEIGHT}.{name}"] = copy_to_cpu(parameter)
        for what, value in optimizer.state.get(parameter, {}).items():
            if isinstance(value, Tensor):
                tensors[f"{what}.{name}"] = copy_to_cpu(value)
            else:
                scalars.setdefault(name, {})[what] = value
    for name, value in ema.items():
        tensors[f"{EMA}.{name}"] = copy_to_cpu(value)
    metadata = {
        "numbers": json.dumps(scalars),
        "groups": json.dumps(optimizers.list_scalars(optimizer)),
        **({"scaler": json.dumps(scaler)} if scaler else {}),
        "step": str(step),
        "seconds": f"{seconds:.3f}",
        "recipe": json.dumps(recipe.to_json()),
        "job": hash_request(recipe),
    }
    return Snapshot(step, tensors, metadata)


def remove_others(path: Path) -> None:
    """Remove every other checkpoint in the folder."""
    for other in path.parent.glob("step-*.safetensors"):
        if other != path:
            other.unlink(missing_ok=True)


def read_newest(folder: Path, recipe: Recipe) -> Checkpoint | None:
    """Return the newest undamaged checkpoint of this recipe, None if there is none."""
    for path in sorted(folder.glob("step-*.safetensors"), reverse=True):
        try:
            found = read(path)
        except (SafetensorError, OSError, ValueError, KeyError):
            continue
        if hash_request(found.recipe) == hash_request(recipe):
            return found
        if found.step == recipe.continued_from:
            names = ("steps", "stop_after", "continued_from")
            longer = replace(found.recipe, **{name: getattr(recipe, name) for name in names})
            if hash_request(longer) == hash_request(recipe):
                return replace(found, recipe=longer)
    return None


def read(path: Path) -> Checkpoint:
    """Read one checkpoint."""
    with safe_open(path, framework="pt") as opened:
        metadata = opened.metadata()
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    names = ("numbers", "groups", "scaler")
    scalars, groups, scaler = (json.loads(metadata.get(name, "{}")) for name in names)
    recipe = Recipe.from_json(json.loads(metadata["recipe"]))
    seconds = float(metadata.get("seconds", 0))
    return Checkpoint(int(metadata["step"]), recipe, tensors, scalars, groups, scaler, seconds)


def copy_to_cpu(value: Tensor) -> Tensor:
    """Copy a tensor to the CPU, even from there: some optimizers share one among parameters."""
    return value.detach().to("cpu", copy=True).contiguous()


def hash_request(recipe: Recipe) -> str:
    """Return a SHA-256 of what the job asked for, without what a worker chose."""
    asked = recipe.to_json() | {
        "precision": "", "threads": 0, "stepper": "", "base_fingerprint": "", "family": "",
        "memory_fallbacks": (), "initializer_token": "", "found_learning_rate": 0.0,
        "found_last_step": 0,
    }  # fmt: skip
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
