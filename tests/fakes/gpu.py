"""The CPU posing as a GPU: one with little memory, one without bf16."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace

import torch

from tests.fakes import cuda
from training.device import Device, HostMemory


class FakeGpu(Device):
    """A GPU of `mib` MiB, of which torch has held `held` MiB at its peak."""

    def __init__(self, like: Device, mib: int, held: int = 0) -> None:
        super().__init__(like.accelerator)
        self.mib, self.held = mib, held
        self.emptied = 0  #: how many times

    def total_mib(self) -> int:
        """Return its size in MiB."""
        return self.mib

    def free_mib(self) -> int:
        """Return the free memory in MiB: all of it."""
        return self.mib

    def used_mib(self) -> int:
        """Return what torch holds now: nothing."""
        return 0

    def peak_mib(self) -> int:
        """Return the peak in MiB."""
        return self.held

    def empty_cache(self) -> None:
        """Count the calls that empty torch's cache."""
        self.emptied += 1


class Fp16Device(Device):
    """An old GPU that has no bf16 and computes in fp16."""

    precision = "fp16"

    def __init__(self, like: Device) -> None:
        super().__init__(like.accelerator)


class OverflowingDevice(Fp16Device):
    """One whose loss scale starts so high that the first gradients overflow."""

    scale = 2.0**60

    def scaler(self) -> torch.amp.GradScaler:
        """Return a gradient scaler that starts with that scale."""
        return torch.amp.GradScaler("cpu", init_scale=self.scale)


class GraphDevice(Device):
    """The CPU as a GPU that replays CUDA graphs; the worker's setting asks for them."""

    def __init__(self, like: Device) -> None:
        super().__init__(like.accelerator)
        self.cuda, self.stepper = cuda, "graph"


class MetaDevice(HostMemory):
    """An accelerator with memory of its own, whose tensors have shapes but no numbers.

    What reads one fails.
    """

    torch_device = torch.device("meta")

    def autocast(self):
        """Compute as the networks are."""
        return nullcontext()


class WrongGraph(cuda.CUDAGraph):
    """A graph that computes something else."""

    def replay(self):
        """Double what the last operation made: the loss that the step reports."""
        super().replay()
        self.calls[-1][3].mul_(2)


WRONG_CUDA = SimpleNamespace(**vars(cuda) | {"CUDAGraph": WrongGraph})
