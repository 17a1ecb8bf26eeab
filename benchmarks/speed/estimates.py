"""Compare the pre-flight card's time with what the training then takes, from claim to end.

The real scheduler and its worker train a LoRA once, which is measured, then others with different
steps and photos, each after an estimate by the card's own arithmetic. Other work on the cores
changes the seconds, so both are also compared in the worker's processor time: the estimate, times
the processor's share of the runs it is based on.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psutil

from benchmarks import machine, table
from benchmarks.speed.service import POLL_SECONDS, Service, list_mascot_photos, running_service
from storage.places import name_for_timings
from storage.planning.durations import TimingKey, estimate_duration
from storage.planning.plan import plan_training
from storage.records import Concept, Dial

if TYPE_CHECKING:
    from storage.planning.plan import Plan
    from storage.records import Dataset

TOLERANCE = 0.2  #: allowed error, as a share of the training's time
MEASURED, LATER = (6, 30), ((10, 90), (4, 50))  #: photos and steps


@dataclass(frozen=True, slots=True)
class Comparison:
    """A training's estimated and true seconds."""

    photos: int
    steps: int
    estimated: float  #: seconds
    taken: float  #: seconds
    computed: float  #: estimated over taken, both in the worker's processor time


async def estimate(running: Service, dataset: Dataset, photos: int, steps: int) -> Plan:
    """Plan a LoRA of a subject and estimate its time as the pre-flight card does."""
    store, (base, *_) = running.store, running.catalog.bases
    planned = plan_training(
        running.catalog, method="lora", base=base.name, dial=Dial.BALANCED,
        concept=Concept.SUBJECT, photos=photos,
    )  # fmt: skip
    planned = replace(planned, steps=steps)
    timing_key = TimingKey.from_training(
        name_for_timings(running.catalog, running.catalog.device), base, planned, dataset.concept
    )
    return estimate_duration(await store.durations.read_all(), timing_key, planned)


async def train_and_time(
    running: Service, dataset: Dataset, steps: int, runs: int
) -> tuple[float, float]:
    """Train, as run number `runs`; return the seconds from claim to end, and of processor time."""
    (handle,) = running.store.home.workers.glob("*/handle.json")
    worker = psutil.Process(json.loads(handle.read_bytes())["pid"])
    before = sum(worker.cpu_times()[:2])
    ended = await running.wait_until_ended(
        await running.queue_training(dataset, seed=steps, steps=steps)
    )
    while (
        sum(timing.runs for timing in (await running.store.durations.read_all()).values()) < runs
    ):
        await asyncio.sleep(POLL_SECONDS)  # the timing is stored after the job's end
    return (ended.ended or 0) - (ended.started or 0), sum(worker.cpu_times()[:2]) - before


async def measure(place: Path, *, quick: bool) -> list[table.Row]:
    """Measure one training, then estimate and run others."""
    async with running_service(place) as running:
        sets = {
            count: await running.add_dataset(f"set {count}", list_mascot_photos()[:count])
            for count, _ in (MEASURED, *LATER)
        }
        unknown = await estimate(running, sets[MEASURED[0]], *MEASURED)
        whole, computed = await train_and_time(running, sets[MEASURED[0]], MEASURED[1], 1)
        parts, comparisons = [computed / whole], []
        for count, steps in LATER[: 1 if quick else None]:
            before = (await estimate(running, sets[count], count, steps)).seconds
            whole, computed = await train_and_time(running, sets[count], steps, 1 + len(parts))
            part = statistics.mean(parts)
            comparisons.append(Comparison(count, steps, before, whole, before * part / computed))
            parts.append(computed / whole)
    return list(rows(unknown.seconds, comparisons))


def rows(unknown: float, pairs: list[Comparison]) -> Iterator[table.Row]:
    """Return the rows of the estimates and true times."""
    yield table.figure("estimated before the first run of the kind (0 is unknown)", unknown, "s")
    for pair in pairs:
        what = f"LoRA, {pair.photos} photos, {pair.steps} steps: estimated over taken"
        seconds = f" ({pair.estimated:.1f} s, {pair.taken:.1f} s)"
        yield table.figure(what, pair.estimated / pair.taken, more=seconds)
        met = abs(pair.computed - 1) <= TOLERANCE
        yield table.Row(f"{what}, computed", f"{pair.computed:.3f}", f"1 ± {TOLERANCE}", met)


def main() -> int:
    """Print the table."""
    arguments = machine.parse_arguments(__doc__ or "")
    with TemporaryDirectory() as place:
        return table.print_table(asyncio.run(measure(Path(place), quick=arguments.quick)))


if __name__ == "__main__":
    sys.exit(main())
