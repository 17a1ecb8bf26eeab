"""The memory of trainings against the card's estimate, and under the caps of small cards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from benchmarks.gpu.bench import Bench
from benchmarks.gpu.figures import Figure
from benchmarks.memory import caps
from benchmarks.speed.training import MIB, Setup
from benchmarks.teaching import spec
from training.families import walk
from training.recipe.recipe import GRAPH
from training.run.memory import bytes_needed

STEPS = 6  #: a graph is captured before the last
CHECKPOINTED = {"gradient_checkpointing": True}
CASES: tuple[tuple[str, int, dict[str, Any]], ...] = (
    ("sdxl", 1, CHECKPOINTED), ("sdxl", 1, {}), ("sdxl", 4, {}), ("sdxl", 4, CHECKPOINTED),
    ("sdxl", 1, {"stepper": GRAPH}),
    ("sd1", 1, CHECKPOINTED), ("sd1", 1, {}), ("sd1", 4, {}), ("sd1", 4, {"stepper": GRAPH}),
)  # fmt: skip
BARS = {("sdxl", 1, True): 6.5 * 1024}  #: MiB
BAR = 15  #: percent of the estimate's error


def measure(bench: Bench) -> Iterator[Figure]:
    """Compare what trainings held with the estimate of the card."""
    setup = bench.setup("sdxl", "sd1")
    for family, batch, more in CASES[: bench.choose(len(CASES), 1)]:
        yield from measure_case(setup, family, batch, more)


def measure_case(setup: Setup, family: str, batch: int, more: dict[str, Any]) -> Iterator[Figure]:
    """Take some steps and compare."""
    recipe = setup.recipe(family, batch, STEPS + 1, **more)
    name = f"memory-{family}-{batch}-{'-'.join(more)}"
    words = "".join(f", {word.replace('_', ' ')}" for word in more)
    what = f"{family} at {setup.side(family)}, LoRA, batch {batch}{words}"
    setup.bases.unload(*(name for name in setup.bases.loaded if name != recipe.base))
    with setup.bases.borrow(recipe.base) as lent:
        setup.device.empty_cache()
        _, task = setup.start_training(name, family, recipe)
        with closing(task):
            spec.advance_steps(task, STEPS)
            attached: Any = lent.networks.attached
            numbers = sum(own.numel() for own in attached.parameters.values())
            held = setup.device.peak_mib()
    if not held:
        yield Figure(f"{what}: torch held at most", "not counted: a CPU")
        return
    bar = BARS.get((family, batch, "gradient_checkpointing" in more))
    yield Figure(f"{what}: torch held at most", held, "MiB", bar)
    estimated = bytes_needed(recipe, walk()[family].COUNTS.memory, numbers) / MIB
    error = 100 * (estimated / (held + caps.DRIVER) - 1)
    yield Figure(f"{what}: the estimate's error", abs(error), "%", BAR, f" ({error:+.1f})")


def measure_caps(bench: Bench) -> Iterator[Figure]:
    """Train under the memory of 4, 8, 12 and 24 GB cards."""
    if bench.cpu:
        yield Figure("trainings under caps", "not measured: a CPU has no memory of its own")
        return
    for case in caps.CASES:
        row = caps.train_under_cap(bench.place, bench.models, *case)
        yield Figure(row.what, row.figure, more=f", cap {row.bar[2:]}")
