"""Compare compiled steps with eager ones: their time, and what they teach, on a shrunken SD 1.5.

Compiling takes about a minute of processor time. One more training is interrupted and resumed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor

from benchmarks import machine, table
from benchmarks.speed.overhead import BareStep
from benchmarks.speed.training import Setup
from benchmarks.teaching import spec
from storage.folders import JobFolder
from training.device import Device
from training.networks.conditioning import stack_conditions
from training.recipe.recipe import COMPILE
from training.run import checkpoint, loop
from training.run.step import CompiledLoss

SIDE = 64  #: pixels
LOSSES = 1e-3  #: relative difference
GRADIENTS = 1e-5  #: difference of a first step's, as a share of their norm, in fp32
Result = tuple[float, Tensor, Tensor]  #: seconds of a step; losses; trained numbers at the end


def compare_gradients(setup: Setup) -> float:
    """Return how far the gradients of a compiled step are from those of the eager one."""
    recipe = setup.recipe("sd1", 1, 9)
    photos, task = setup.start_training("gradients", "sd1", recipe)
    with closing(task):
        spec.advance_steps(task, 2)  # then no trained number is at zero any more
        family: Any = setup.bases.loaded[setup.base("sd1")]
        bare = BareStep(family, replace(recipe, threads=1), photos)
        draws = torch.Generator().manual_seed(0)
        drawn = family.draw_inputs(torch.stack(bare.latents[:1]), draws, min_snr_gamma=5.0)
        inputs = drawn | stack_conditions(bare.states[:1])
        parameters = list(family.networks.attached.parameters.values())
        eager, compiled = (
            torch.cat([each.flatten() for each in torch.autograd.grad(loss(inputs), parameters)])
            for loss in (family.compute_loss, CompiledLoss(family.compute_loss))
        )
    return float((compiled - eager).norm() / eager.norm())


def train(setup: Setup, name: str, stepper: str, steps: int, *, resumed: bool = False) -> Result:
    """Train; return what the last checkpoint keeps. First steps, which compile, are not timed.

    What is `resumed` is interrupted after two thirds of the steps, and goes on from a half.
    """
    recipe = setup.recipe("sd1", 1, steps, stepper=stepper, save_every=steps // 2)
    photos, task = setup.start_training(name, "sd1", recipe)
    if resumed:
        spec.advance_steps(task, 2 * steps // 3)
        task.close()
        task = loop.train(JobFolder(photos.parent), setup.bases)
    spec.advance_steps(task, 3)
    began = time.process_time()
    rest = (steps - steps // 2 if resumed else steps) - 3
    spec.advance_steps(task, rest)
    seconds = (time.process_time() - began) / rest
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
    """Compare a step; then train eagerly once, compiled twice, and compiled with a break."""
    apart = compare_gradients(setup)
    yield table.at_most(
        "gradients of a compiled step, apart from the eager one's", apart, GRADIENTS,
        more=f" ({apart:.1e})",
    )  # fmt: skip
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
    broken = train(setup, "resumed", COMPILE, steps, resumed=True)
    for what, again in (("compiled twice", other), ("compiled, interrupted and resumed", broken)):
        same = torch.equal(one[1], again[1]) and torch.equal(one[2], again[2])
        yield table.Row(f"{what}: the same bytes", str(same).lower(), "true", same)


def main() -> int:
    """Print the table."""
    arguments = machine.parse_arguments(__doc__ or "")
    torch.set_num_threads(1)
    with TemporaryDirectory() as place:
        setup = Setup(Path(place), Device.open(cpu=True, threads=1), ("sd1",), small_side=SIDE)
        return table.print_table(rows(setup, 20 if arguments.quick else 200))


if __name__ == "__main__":
    sys.exit(main())
