"""The optimizer of long trainings: Muon for hidden matrices where asked for, AdamW for the rest.

Muon (Jordan 2024, kellerjordan.github.io/posts/muon) orthogonalizes its steps; scaled to the size
of AdamW's (Liu et al. 2025, arXiv 2502.16982), the denoiser needs about half the steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterator

#: layers with fewer channels on a side, such as the first and the last, use AdamW
MIN_MUON_CHANNELS = 64
WEIGHT_DECAY = 0.01


class LearningRates(Protocol):
    """The networks to train and their learning rates."""

    learning_rate: float
    muon_learning_rate: float  # for Muon; 0 leaves everything to AdamW

    @property
    def networks(self) -> nn.Module:
        """Return the networks to train."""
        ...


class Optimizer:
    """One or two optimizers that step together."""

    def __init__(self, task: LearningRates) -> None:
        self.parameters = [p for p in task.networks.parameters() if p.requires_grad]
        self.matrices = list(muon_weights(task.networks)) if task.muon_learning_rate else []
        # Muon takes matrices only, so it gets a 2-D view of each convolution's weights
        self.flat = [nn.Parameter(weight.detach().flatten(1)) for weight in self.matrices]
        flattened = {id(weight) for weight in self.matrices}
        others = [p for p in self.parameters if id(p) not in flattened]
        self.optimizers: list[tuple[torch.optim.Optimizer, float]] = [
            (torch.optim.AdamW(others, weight_decay=WEIGHT_DECAY, fused=True), task.learning_rate)
        ]
        if self.flat:
            muon = torch.optim.Muon(
                self.flat, weight_decay=WEIGHT_DECAY, adjust_lr_fn="match_rms_adamw"
            )
            self.optimizers.append((muon, task.muon_learning_rate))

    def step(self, lr_factor: float) -> None:
        """Update all weights with scaled learning rates, then clear the gradients."""
        for flat, weight in zip(self.flat, self.matrices, strict=True):
            flat.grad = None if weight.grad is None else weight.grad.flatten(1)
        for optimizer, rate in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate * lr_factor
            optimizer.step()
        for parameter in (*self.parameters, *self.flat):
            parameter.grad = None

    def state_dict(self) -> list[dict[str, Any]]:
        """Return the state of every optimizer."""
        return [optimizer.state_dict() for optimizer, _ in self.optimizers]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        """Restore a state."""
        for (optimizer, _), state in zip(self.optimizers, states, strict=True):
            optimizer.load_state_dict(state)
        for group in self.optimizers[0][0].param_groups:
            group.update(fused=True, foreach=None)


def muon_weights(networks: nn.Module) -> Iterator[torch.Tensor]:
    """Yield the weights of layers between wide layers, linear or convolution, but no embedding."""
    words = {id(m.weight) for m in networks.modules() if isinstance(m, nn.Embedding)}
    for module in networks.modules():
        if not isinstance(module, nn.Linear | nn.Conv2d) or id(module.weight) in words:
            continue  # the last layer may share the embedding's weights
        if min(module.weight.shape[:2]) >= MIN_MUON_CHANNELS:
            yield module.weight
