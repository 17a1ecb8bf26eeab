"""Find a learning rate by a short exponential sweep on the job's own photos.

After Smith 2015 (arXiv 1506.01186, section 3.3) the rate grows from step to step. The one is taken
by which the smoothed loss has made nine tenths of its fall. That of the steepest descent was worse
than the usual rate (benchmarks/RESULTS.md): a whole network falls fastest in its very first steps.
A step's own loss says more about its noise than about the rate, so each step is judged on the same
few photos, noise and timesteps.

The sweep draws from generators of its own, has an optimizer of its own, and puts the weights back:
the run that follows has the bytes of one that was given the rate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch

from storage.events import Event, Note, RateFound
from storage.folders import JobFolder
from storage.limits import LEARNING_RATE
from storage.records import JobCommand
from training.device import Device
from training.families import Family
from training.networks.networks import Attached
from training.pictures import write_picture
from training.recipe.recipe import Recipe
from training.run import optimizers
from training.run.curve import draw_sweep, smooth
from training.run.dropout import adapter_dropout
from training.run.step import MicroBatch, OptimizerStep

MIN_SWEEP_STEPS, SWEEP_STEPS = 8, 48  #: least and most; between, a quarter of the run's
SPAN = 30.0  #: the sweep goes from the recipe's rate divided by it to that rate times it
JUDGED_PHOTOS = 8  #: at least, on which each step is judged
SMOOTHING = 0.7  #: of the losses, as the weight of those before
DIVERGED = 4.0  #: times the first loss; the sweep ends there
MOST_OF_FALL = 0.9  #: a share
MIN_FALL = 0.02  #: of the loss, as a share, for a sweep that says something
CURVE = "learning-rate.png"

Draw = Callable[[int, str], list[MicroBatch]]  #: the inputs of a step for a purpose
Boundary = Callable[[], Generator[Event, JobCommand | None, JobCommand | None]]
Searched = Generator[Event, JobCommand | None, tuple[Recipe, JobCommand | None]]


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep has seen."""

    first_loss: float  #: on the judged photos, before any step
    rates: Sequence[float]  #: of each step
    losses: Sequence[float]  #: on the judged photos, after each step

    @property
    def smoothed(self) -> list[float]:
        """The averages of the losses, with the first one."""
        return smooth((self.first_loss, *self.losses), SMOOTHING)

    @property
    def rate(self) -> float:
        """The rate by which most of the fall is made; 0 where the loss hardly falls.

        It has two digits, so that it can be given by hand.
        """
        mean = self.smoothed
        fall = mean[0] - min(mean)
        if fall < MIN_FALL * mean[0]:
            return 0.0
        fallen = (mean[0] - each >= MOST_OF_FALL * fall for each in mean[1:])
        return float(f"{self.rates[[*fallen].index(True)]:.2g}")


@dataclass(frozen=True, slots=True)
class RateFinder:
    """Sweeps over learning rates with what a run has made ready."""

    recipe: Recipe
    attached: Attached
    family: Family
    device: Device
    draw: Draw

    def search(self, folder: JobFolder, boundary: Boundary) -> Searched:
        """Return the recipe with the rate found, or as it is with a command that interrupted."""
        yield Note("rate_search")
        losses, rates = list[float](), list_rates(self.recipe)
        with weights_kept(self.attached):
            take_step, first = self.make_step(), self.judge()
            for step, rate in enumerate(rates):
                if command := (yield from boundary()):
                    return self.recipe, command
                losses.append(take_step(step, rate))
                if not losses[-1] < DIVERGED * first:  # nor NaN
                    break
        sound = losses if math.isfinite(losses[-1]) else losses[:-1]
        usual = self.recipe.learning_rate
        if not sound:  # the run itself will say that its loss is no number
            return replace(self.recipe, found_learning_rate=usual), None
        sweep = Sweep(first, rates[: len(sound)], sound)
        path = folder.samples / CURVE
        write_picture(path, draw_sweep(sweep.rates, sweep.smoothed[1:], usual, sweep.rate))
        yield RateFound(sweep.rate or usual, usual, path.name)
        return replace(self.recipe, found_learning_rate=sweep.rate or usual), None

    def make_step(self) -> Callable[[int, float], float]:
        """Return what takes a step at a rate and judges it."""
        recipe, attached = self.recipe, self.attached
        optimizer = optimizers.make_optimizer(recipe, attached.parameters, attached.rate_factors)
        parts = attached.parameters.values(), optimizer, self.device.scaler(), self.device.autocast
        take = OptimizerStep(self.family.compute_loss, *parts)

        def take_step(step: int, rate: float) -> float:
            for group in optimizer.param_groups:
                optimizers.set_learning_rate(group, rate * group["pace"])
            with adapter_dropout(self.family.networks, recipe, step):
                take(self.draw(step, "sweep"))
            return self.judge()

        return take_step

    @torch.no_grad()
    def judge(self) -> float:
        """Return the loss on photos, noise and timesteps that are always the same."""
        batches = -(-JUDGED_PHOTOS // self.recipe.batch_size)
        drawn = [each for at in range(batches) for each in self.draw(at, "judge")]
        with self.device.autocast():
            losses = [self.family.compute_loss(each.inputs) * each.weight for each in drawn]
        return float(torch.stack(losses).sum()) / batches


@contextmanager
def weights_kept(attached: Attached) -> Iterator[None]:
    """Put the weights back as they were, after the block."""
    parameters = attached.parameters
    before = {name: each.detach().to("cpu", copy=True) for name, each in parameters.items()}
    try:
        yield
    finally:
        for name, each in parameters.items():
            each.data.copy_(before[name])


def list_rates(recipe: Recipe) -> list[float]:
    """List the rates of a sweep, each larger than the one before by the same factor."""
    count = min(SWEEP_STEPS, max(MIN_SWEEP_STEPS, recipe.steps // 4))
    factors = (SPAN ** (2 * step / (count - 1) - 1) for step in range(count))
    (least, most), middle = LEARNING_RATE, recipe.learning_rate
    return [middle * factor for factor in factors if least <= middle * factor <= most]
