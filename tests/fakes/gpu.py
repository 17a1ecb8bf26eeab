"""GPUs' twins: the CPU with so much memory of its own, and a peak; the CPU computing in fp16."""

from __future__ import annotations

import torch

from training.device import Device


class Card(Device):
    """The CPU as if it were a GPU of so many MiB, of which torch once held so many."""

    def __init__(self, like: Device, mib: int, held: int = 0) -> None:
        super().__init__(like.accelerator)
        self.mib, self.held = mib, held
        self.emptied = 0  #: times

    def whole(self) -> int:
        """Count all of it."""
        return self.mib

    def free(self) -> int:
        """Count what nobody has."""
        return self.mib

    def memory(self) -> int:
        """Hold nothing now."""
        return 0

    def peak(self) -> int:
        """Count what was held at most."""
        return self.held

    def empty(self) -> None:
        """Note that torch was to give back what it keeps."""
        self.emptied += 1


class Older(Device):
    """The CPU as if it were a GPU that has no bf16."""

    precision = "fp16"

    def __init__(self, like: Device) -> None:
        super().__init__(like.accelerator)


class Steep(Older):
    """One whose gradients are scaled by far too much."""

    scale = 2.0**60

    def scaler(self) -> torch.amp.GradScaler:
        """Begin with that scale."""
        return torch.amp.GradScaler("cpu", init_scale=self.scale)
