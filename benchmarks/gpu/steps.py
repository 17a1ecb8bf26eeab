"""Seconds of a step: our loop, plain torch, the same as a CUDA graph, and compiled."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import torch

from benchmarks.gpu.bench import NO_GRAPHS, Bench
from benchmarks.gpu.figures import Figure
from benchmarks.speed.overhead import BareStep, Step
from benchmarks.speed.training import Setup, count_flops, measure_peak_flops, time_steps
from benchmarks.teaching import spec
from training.run.step import WARMUP_STEPS, OptimizerStep

BATCHES = (1, 4)  #: a rehearsal takes the first
BARS = {("sd1", 1): 0.015, ("sdxl", 1): 0.060}  #: seconds of a step on an H200
ROUNDS, BLOCK = 5, 4  #: turns, and steps of one


def measure_sd1(bench: Bench) -> Iterator[Figure]:
    """Time steps of Stable Diffusion 1.5 at 512 pixels."""
    yield from measure_steps(bench, "sd1")


def measure_sdxl(bench: Bench) -> Iterator[Figure]:
    """Time steps of Stable Diffusion XL at 1024 pixels."""
    yield from measure_steps(bench, "sdxl")


def measure_steps(bench: Bench, family: str) -> Iterator[Figure]:
    """Time the eager loop, a bare step and its graph in turns."""
    setup = bench.setup(family)
    peak = measure_peak_flops(setup)
    for batch in BATCHES[: bench.choose(len(BATCHES), 1)]:
        what = f"{family} at {setup.side(family)}, batch {batch}: a step"
        with closing(Entrants(setup, family, batch)) as entrants:
            flops = count_flops(entrants.bare)
            ways: dict[str, Step] = {"the loop, eager": entrants.take_step, "bare": entrants.bare}
            if bench.cuda:
                ways["CUDA graph"] = bench.make_graph(entrants.add_bare())
            yield from compare(bench, setup, what, ways)
            if bench.cuda:
                seconds = time_steps(setup.device, ways["CUDA graph"], BLOCK)
                yield Figure(
                    f"{what}, graph: of the matrix peak", 100 * flops / seconds / peak, "%"
                )
            if bench.cuda and entrants.family.mostly_convolutions:
                unet = entrants.family.unet.to(memory_format=torch.contiguous_format)
                first: dict[str, Step] = {
                    "CUDA graph, channels first": bench.make_graph(entrants.add_bare())
                }
                yield from compare(bench, setup, what, first)
                unet.to(memory_format=torch.channels_last)
        if bench.cuda:
            bar = None if bench.cpu else BARS.get((family, batch))
            yield Figure(
                f"{what}, the loop, CUDA graph", time_loop(bench, setup, family, batch), "s", bar
            )
        else:
            yield Figure(f"{what}, CUDA graph", NO_GRAPHS)


def time_loop(bench: Bench, setup: Setup, family: str, batch: int) -> float:
    """Return the seconds of a step of our loop by CUDA graphs."""
    steps = bench.choose(ROUNDS * BLOCK, 1)
    recipe = setup.recipe(family, batch, 1000, stepper=bench.stepper)
    _, task = setup.start_training(f"graph-{family}-{batch}", family, recipe)
    with closing(task):
        spec.advance_steps(task, WARMUP_STEPS + 3)  # the first boundary is before the first step
        return time_steps(setup.device, lambda: spec.advance_steps(task), steps)


class Entrants:
    """Our loop in training, and bare steps on the same adapter."""

    def __init__(self, setup: Setup, family: str, batch: int, steps: int = 1000) -> None:
        self.setup, self.recipe = setup, setup.recipe(family, batch, steps)
        name = f"{family}-{batch}-{len(list(setup.place.glob('jobs/*')))}"
        self.photos, self.task = setup.start_training(name, family, self.recipe)
        spec.advance_steps(self.task, 3)
        self.family: Any = setup.bases.loaded[setup.base(family)]
        self.bare = self.add_bare()

    def add_bare(self) -> BareStep:
        """Return a further bare step, with an optimizer of its own."""
        return BareStep(self.family, replace(self.recipe, threads=1), self.photos)

    def take_step(self) -> None:
        """Take a step of the loop."""
        spec.advance_steps(self.task)

    def close(self) -> None:
        """End the training."""
        self.task.close()


def compare(bench: Bench, setup: Setup, what: str, ways: dict[str, Step]) -> Iterator[Figure]:
    """Time some ways to take a step in turns, each warmed up before."""
    for way in ways.values():
        time_steps(setup.device, way, bench.choose(WARMUP_STEPS + 1, WARMUP_STEPS))
    turns: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(bench.choose(ROUNDS, 1)):
        names = list(ways)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            turns[name].append(time_steps(setup.device, ways[name], bench.choose(BLOCK, 1)))
    for name, seconds in turns.items():
        yield Figure(f"{what}, {name}", statistics.median(seconds), "s")


def compile_sd1(bench: Bench) -> Iterator[Figure]:
    """Compile a step of Stable Diffusion 1.5."""
    yield from measure_compiled(bench, "sd1")


def compile_sdxl(bench: Bench) -> Iterator[Figure]:
    """Compile a step of Stable Diffusion XL."""
    yield from measure_compiled(bench, "sdxl")


def measure_compiled(bench: Bench, family: str) -> Iterator[Figure]:
    """Time `torch.compile` of forward and backward, alone and within a graph."""
    setup = bench.setup(family)
    what = f"{family} at {setup.side(family)}, batch 1: a step"
    with closing(Entrants(setup, family, 1)) as entrants:
        bare = entrants.bare
        with setup.device.autocast():
            eager = bare.loss(bare.draw()).detach()
        bare.generator.manual_seed(entrants.recipe.seed)
        bare.taken = 0
        began, compiled = time.perf_counter(), compile_step(bare.step, cpu=bench.cpu)
        with setup.device.autocast():
            difference = abs(compiled.loss(bare.draw()).detach() / eager - 1)
        yield Figure(f"{what}, compiled: first loss, relative difference", float(difference))
        bare.step = bare.take = compiled
        time_steps(setup.device, bare, 1)
        seconds = time.perf_counter() - began
        yield Figure(f"{what}, compiled: until the first one is taken", seconds, "s")
        yield from compare(bench, setup, what, {"compiled": bare})
        if bench.cuda:
            yield from compare(
                bench, setup, what, {"compiled, CUDA graph": bench.make_graph(bare)}
            )


def compile_step(step: OptimizerStep, *, cpu: bool) -> OptimizerStep:
    """Return a step whose loss is compiled, whole and for static shapes; a rehearsal skips it."""
    compiled = torch.compile(step.loss, dynamic=False, fullgraph=True, disable=cpu)
    return replace(step, loss=compiled)
