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

from storage.folders import whole
from training.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor, nn

MOMENTS = ("exp_avg", "exp_avg_sq", "step")
AVERAGE = "average."


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a run after a step."""

    step: int
    recipe: Recipe  #: with everything a worker has chosen
    tensors: dict[str, Tensor]

    @property
    def losses(self) -> list[float]:
        """Give the loss of every step until here."""
        losses: list[float] = self.tensors["losses"].tolist()
        return losses

    @property
    def average(self) -> dict[str, Tensor]:
        """Give the moving average, by the names of its parameters."""
        kept = {name: value for name, value in self.tensors.items() if name.startswith(AVERAGE)}
        return {name.removeprefix(AVERAGE): value for name, value in kept.items()}

    def restore(
        self, parameters: dict[str, nn.Parameter], optimizer: torch.optim.Optimizer
    ) -> None:
        """Put parameters and optimizer back as they were."""
        for name, parameter in parameters.items():
            parameter.data.copy_(self.tensors[f"weight.{name}"])
            state = {}
            for moment in MOMENTS:
                if f"{moment}.{name}" in self.tensors:
                    state[moment] = self.tensors[f"{moment}.{name}"].to(parameter.device).clone()
            if state:
                optimizer.state[parameter] = state


def file(folder: Path, step: int) -> Path:
    """Name the checkpoint of a step."""
    return folder / f"step-{step:06d}.safetensors"


def save(
    folder: Path,
    checkpoint: tuple[int, Recipe, list[float]],
    parameters: dict[str, nn.Parameter],
    optimizer: torch.optim.Optimizer,
    average: Mapping[str, Tensor] = MappingProxyType({}),
) -> Path:
    """Write a state, whole or not at all."""
    step, recipe, losses = checkpoint
    tensors = {"losses": torch.tensor(losses, dtype=torch.float64)}
    for name, parameter in parameters.items():
        tensors[f"weight.{name}"] = parameter.detach().cpu().contiguous()
        for moment, value in optimizer.state.get(parameter, {}).items():
            tensors[f"{moment}.{name}"] = value.detach().cpu().contiguous()
    for name, value in average.items():
        tensors[f"{AVERAGE}{name}"] = value.cpu().contiguous()
    told = {"step": str(step), "recipe": json.dumps(recipe.json()), "job": fingerprint(recipe)}
    path = file(folder, step)
    with whole(path) as part:
        save_file(tensors, part, told)
    return path


def newest(folder: Path, recipe: Recipe) -> Checkpoint | None:
    """Read the newest whole checkpoint of this recipe."""
    for path in sorted(folder.glob("step-*.safetensors"), reverse=True):
        try:
            found = read(path)
        except (SafetensorError, OSError, ValueError, KeyError):
            continue
        if fingerprint(found.recipe) == fingerprint(recipe):
            return found
    return None


def read(path: Path) -> Checkpoint:
    """Read one checkpoint."""
    with safe_open(path, framework="pt") as opened:
        told = opened.metadata()
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    return Checkpoint(int(told["step"]), Recipe.read(json.loads(told["recipe"])), tensors)


def fingerprint(recipe: Recipe) -> str:
    """Hash what the job asked for, leaving out what a worker chose."""
    asked = recipe.json() | {"precision": "", "threads": 0, "identity": "", "family": ""}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
