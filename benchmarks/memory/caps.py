"""Check whether trainings on the true architectures fit a small GPU, by capping a large one.

Weights are random and made here, or kept in `--place` for another run. The memory fallbacks follow
from the capped memory, as they would on such a card.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from accelerate import Accelerator

from benchmarks import machine, table
from benchmarks.speed.training import MIB, Setup, working_folder
from storage.events import Note, StepBoundary
from training.device import Device
from training.families import walk
from training.run import memory

DRIVER = 600  #: MiB of a card that CUDA takes before torch allocates any
CASES = (
    ("sd1", "lora", 4),
    ("sdxl", "lora", 8),
    ("sd1", "finetune", 12),
    ("sdxl", "finetune", 24),
)
STEPS = 3


class CappedDevice(Device):
    """A GPU with only so much usable memory, in MiB."""

    def __init__(self, cap: int) -> None:
        super().__init__(Accelerator(mixed_precision="bf16"), 1)
        self.cap = cap - DRIVER
        torch.cuda.set_per_process_memory_fraction(self.cap / self.total_mib())

    def free_mib(self) -> int:
        """Return the free MiB under the cap."""
        return min(super().free_mib(), self.cap - self.used_mib())


def train_under_cap(
    place: Path, shelf: Path | None, family: str, method: str, gigabytes: int
) -> table.Row:
    """Take some steps under a cap; return the memory held and the fallbacks used."""
    gc.collect()
    torch.cuda.empty_cache()
    device = CappedDevice(gigabytes * 1024)
    setup = Setup(place, device, (family,), shelf)
    base = setup.bases.find(setup.base(family))
    recipe = setup.recipe(family, 1, STEPS + 1)
    if method == "finetune":
        recipe = replace(recipe, method=method, rank=0, learning_rate=1e-5)
    _, task = setup.start_training(f"{family}-{method}", family, recipe)
    fewer, steps = 0, 0
    while steps < STEPS:
        event = next(task)
        steps += isinstance(event, StepBoundary)
        fewer += event == Note("memory")
    torch.cuda.synchronize()
    held = torch.cuda.max_memory_reserved(device.torch_device) // MIB + DRIVER
    task.close()
    keeps = walk()[base.family].COUNTS.memory
    taken = memory.fit(
        recipe, keeps, 0 if recipe.rank else keeps.denoiser, device.cap
    ).memory_fallbacks
    names = ", ".join(fallback.name for fallback in taken) or "none"
    more = f" (fallbacks: {names}; {fewer} more while it ran)"
    return table.at_most(
        f"{family}, {method}, {gigabytes} GB", held, gigabytes * 1024, "MiB", more
    )


def rows(place: Path, shelf: Path | None) -> Iterator[table.Row]:
    """Train every case."""
    for family, method, gigabytes in CASES:
        yield train_under_cap(place, shelf, family, method, gigabytes)


def main() -> int:
    """Print the table."""
    arguments = machine.parse_arguments(__doc__ or "", place=Path)
    if not torch.cuda.is_available():
        sys.exit("This needs a GPU.")
    print(torch.cuda.get_device_name())
    print()
    with working_folder(arguments.place) as place:
        return table.print_table(rows(Path(place), arguments.place))


if __name__ == "__main__":
    sys.exit(main())
