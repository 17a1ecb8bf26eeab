"""Several trainings at once on one GPU, each in a process of its own, against one alone."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

from benchmarks.gpu.bench import Bench
from benchmarks.gpu.figures import Figure
from training.run.step import WARMUP_STEPS

FAMILY = "sd1"
COUNTS = (1, 2, 4)  #: trainings at once
REHEARSED = (2,)
STEPS = 60, 1  #: that are timed, on a GPU and in a rehearsal


def measure(bench: Bench) -> Iterator[Figure]:
    """Count the steps of a second that so many trainings take together."""
    for count in REHEARSED if bench.cpu else COUNTS:
        seconds = time_together(bench, count)
        what = f"{FAMILY}, batch 1: {count} at once"
        yield Figure(f"{what}, steps of all", sum(1 / each for each in seconds), "a second")
        yield Figure(f"{what}, the slowest's step", max(seconds), "s")


def time_together(bench: Bench, count: int) -> list[float]:
    """Return the seconds of a step in each of so many processes, timed at the same time."""
    context = multiprocessing.get_context("fork")  # nothing has opened the GPU here
    ready, found = context.Barrier(count), context.Queue()
    children = [
        context.Process(target=train, args=(bench, f"{count}-{at}", ready, found), daemon=True)
        for at in range(count)
    ]
    for child in children:
        child.start()
    seconds = [found.get(timeout=max(1, bench.left())) for _ in children]
    for child in children:
        child.join()
    return seconds


def train(bench: Bench, name: str, ready: Barrier, found: Queue[float]) -> None:
    """Train, wait until the others are warm, too, and tell the seconds of a step."""
    from benchmarks.speed.training import time_steps  # noqa: PLC0415 - seconds, and not all need it
    from benchmarks.teaching import spec  # noqa: PLC0415 - the same

    place = bench.place / name
    place.mkdir()
    setup = replace(bench, place=place).setup(FAMILY)
    recipe = setup.recipe(FAMILY, 1, 1000, stepper=bench.stepper)
    _, task = setup.start_training(name, FAMILY, recipe)
    with closing(task):
        spec.advance_steps(task, WARMUP_STEPS + 3)
        ready.wait(bench.left())
        steps = bench.choose(*STEPS)
        found.put(time_steps(setup.device, lambda: spec.advance_steps(task), steps))
