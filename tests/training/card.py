"""A GPU's twin: the CPU with so much memory of its own, and a peak."""

from __future__ import annotations

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
