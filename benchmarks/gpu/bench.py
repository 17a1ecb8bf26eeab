"""What every part is given: a device, a folder for models, and the time it has."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from benchmarks.gpu.figures import Figure
from training.device import Device
from training.recipe.recipe import GRAPH
from training.run.step import GraphStepper

if TYPE_CHECKING:
    from benchmarks.speed.overhead import BareStep
    from benchmarks.speed.training import Setup

SMALL = 64  #: pixels of a side in a rehearsal
NO_GRAPHS = "not measured: a CPU has no CUDA graphs"


@dataclass
class Bench:
    """The bench of one part; `cuda` is `torch.cuda`, what stands for it, or None on a CPU."""

    place: Path  #: a folder of this part
    models: Path  #: the folder of random models, which all parts share
    cpu: bool
    cuda: Any
    seconds: float  #: the part's limit
    open_device: Callable[..., Device] = Device.open
    began: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        """Return the seconds until the limit."""
        return self.began + self.seconds - time.monotonic()

    def choose(self, gpu: int, cpu: int) -> int:
        """Return the first number on a GPU, the second in a rehearsal."""
        return cpu if self.cpu else gpu

    def setup(self, *families: str, precision: str = "auto") -> Setup:
        """Open the device, and make the families' random models unless they are there."""
        from benchmarks.speed.training import Setup  # noqa: PLC0415 - seconds, and not all need it

        device = self.device(precision)
        return Setup(self.place, device, families, self.models, SMALL)

    def device(self, precision: str = "auto") -> Device:
        """Open the device."""
        torch.set_num_threads(1)
        device = self.open_device(cpu=self.cpu, precision=precision, threads=1)
        device.cuda = self.cuda
        return device

    @property
    def stepper(self) -> str:
        """Return how the loop takes steps where graphs are at hand."""
        return GRAPH if self.cuda else ""

    def make_graph(self, bare: BareStep) -> BareStep:
        """Let a bare step replay a CUDA graph."""
        bare.take = GraphStepper(bare.step, bare.family.device.torch_device, (), self.cuda)
        return bare


Measure = Callable[[Bench], Iterator[Figure]]  #: a part
