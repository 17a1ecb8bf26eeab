"""Compare compiled steps with eager ones: their time, and what they teach, on a shrunken SD 1.5.

Compiling takes about a minute of processor time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from benchmarks import machine, table
from benchmarks.speed.training import Setup
from benchmarks.teaching import spec
from storage.folders import JobFolder
from training.device import Device
from training.recipe.recipe import COMPILE
from training.run import checkpoint

SIDE = 64  #: pixels
LOSSES = 1e-3  #: relative difference
Result = tuple[float, Tensor, Tensor]  #: seconds of a step; losses; trained numbers at the end


def train(setup: Setup, name: str, stepper: str, steps: int) -> Result:
    """Train; return what the last checkpoint keeps. First steps, which compile, are not timed."""
    recipe = setup.recipe("sd1", 1, steps, stepper=stepper)
    photos, task = setup.start_training(name, "sd1", recipe)
    spec.advance_steps(task, 3)
    began = time.process_time()
    spec.advance_steps(task, steps - 3)
    seconds = (time.process_time() - began) / (steps - 3)
    for _ in task:
        pass
    kept = checkpoint.read_newest(JobFolder(photos.parent).checkpoints, recipe)
    if kept is None:
        raise RuntimeError("the training left no checkpoint")
    weights = [
        own.flatten() for what, _, own in kept.parameter_tensors() if what == checkpoint.WEIGHT
    ]
    return seconds, torch.tensor(kept.losses), torch.cat(weights)


def rows(setup: Setup, steps: int) -> Iterator[table.Row]:
    """Train eagerly once and compiled twice."""
    eager, one, other = (
        train(setup, str(at), stepper, steps) for at, stepper in enumerate(("", COMPILE, COMPILE))
    )
    yield table.figure("processor time of an eager step", 1000 * eager[0], "ms")
    yield table.figure("a compiled step over an eager one", one[0] / eager[0])
    apart = float((one[1] / eager[1] - 1).abs().max())
    yield table.at_most(
        f"losses of {steps} steps differ by at most", apart, LOSSES, more=f" ({apart:.1e})"
    )
    first = float((one[1][0] / eager[1][0] - 1).abs())
    yield table.figure("the first loss differs by", f"{first:.1e}")
    share = float((one[2] - eager[2]).norm() / eager[2].norm())
    yield table.figure("trained numbers differ by", f"{share:.1e}")
    same = torch.equal(one[1], other[1]) and torch.equal(one[2], other[2])
    yield table.Row("compiled twice: the same bytes", str(same).lower(), "true", same)


def main() -> int:
    """Print the table."""
    arguments = machine.parse_arguments(__doc__ or "")
    torch.set_num_threads(1)
    with TemporaryDirectory() as place:
        setup = Setup(Path(place), Device.open(cpu=True, threads=1), ("sd1",), small_side=SIDE)
        return table.print_table(rows(setup, 20 if arguments.quick else 200))


if __name__ == "__main__":
    sys.exit(main())
