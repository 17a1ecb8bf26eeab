"""Exponential moving average of the trained weights (Polyak and Juditsky 1992)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class EmaWeights:
    """The average that previews and files are made of; with a decay of 0 there is none."""

    def __init__(self, parameters: Mapping[str, nn.Parameter], decay: float) -> None:
        self.parameters, self.decay = parameters, decay
        self.tensors: dict[str, Tensor] = {}
        if decay:
            self.tensors = {name: p.detach().clone() for name, p in parameters.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move towards the parameters, faster in the first steps."""
        decay = min(self.decay, (1 + step) / (10 + step))
        averages = list(self.tensors.values())
        if averages:
            now = [self.parameters[name].to(each) for name, each in self.tensors.items()]
            torch._foreach_lerp_(averages, now, 1 - decay)

    @torch.no_grad()
    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Set the average, from a checkpoint or anew."""
        for name, average in self.tensors.items():
            average.copy_(tensors[name])

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the average in place of the parameters inside the block."""
        own = {name: self.parameters[name].data for name in self.tensors}
        for name, average in self.tensors.items():
            self.parameters[name].data = average
        try:
            yield
        finally:
            for name, data in own.items():
                self.parameters[name].data = data
