"""How far the time on the pre-flight card is from what a training then takes, claim to end.

The real scheduler and its worker run a LoRA once, which measures it; then with other steps and
photos, and the card's own arithmetic tells before each how long it will take. Where other work
holds the cores, seconds change with it; so both are also compared by the worker's processor time:
what was told, by the processor's part of the runs that it was told from.
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
from storage.planning.durations import TimingKey, estimate_duration
from storage.planning.plan import plan_training
from storage.records import Concept, Dial

if TYPE_CHECKING:
    from storage.records import Dataset, Plan

TOLERANCE = 0.2  #: of what a training takes, how far the card's time may be away
MEASURED, LATER = (6, 30), ((10, 90), (4, 50))  #: photos and steps


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was told of a training, and what it took."""

    photos: int
    steps: int
    told: float  #: seconds
    taken: float  #: seconds
    computed: float  #: told over taken, both in the worker's processor time


async def estimate(running: Service, dataset: Dataset, photos: int, steps: int) -> Plan:
    """Plan a LoRA of a subject and tell how long it takes, as the pre-flight card does."""
    store, (base, *_) = running.store, running.catalog.bases
    planned = plan_training(
        running.catalog, method="lora", base=base.name, dial=Dial.BALANCED,
        concept=Concept.SUBJECT, photos=photos,
    )  # fmt: skip
    planned = replace(planned, steps=steps)
    gait = TimingKey.from_training(running.catalog.device, base, planned, dataset.concept)
    return estimate_duration(await store.durations.read_all(), gait, planned)


async def train_and_time(
    running: Service, dataset: Dataset, steps: int, runs: int
) -> tuple[float, float]:
    """Train, the last of so many runs; give the seconds from claim to end, and those computed."""
    (handle,) = running.store.home.workers.glob("*/handle.json")
    worker = psutil.Process(json.loads(handle.read_bytes())["pid"])
    before = sum(worker.cpu_times()[:2])
    ended = await running.wait_until_ended(
        await running.queue_training(dataset, seed=steps, steps=steps)
    )
    while sum(pace.runs for pace in (await running.store.durations.read_all()).values()) < runs:
        await asyncio.sleep(POLL_SECONDS)  # it is measured once it has ended
    return (ended.ended or 0) - (ended.started or 0), sum(worker.cpu_times()[:2]) - before


async def measure(place: Path, *, quick: bool) -> list[table.Row]:
    """Measure once, then foretell and train."""
    async with running_service(place) as running:
        sets = {
            count: await running.add_dataset(f"set {count}", list_mascot_photos()[:count])
            for count, _ in (MEASURED, *LATER)
        }
        unknown = await estimate(running, sets[MEASURED[0]], *MEASURED)
        whole, computed = await train_and_time(running, sets[MEASURED[0]], MEASURED[1], 1)
        parts, found = [computed / whole], []
        for count, steps in LATER[: 1 if quick else None]:
            before = (await estimate(running, sets[count], count, steps)).seconds
            whole, computed = await train_and_time(running, sets[count], steps, 1 + len(parts))
            part = statistics.mean(parts)
            found.append(Comparison(count, steps, before, whole, before * part / computed))
            parts.append(computed / whole)
    return list(rows(unknown.seconds, found))


def rows(unknown: float, pairs: list[Comparison]) -> Iterator[table.Row]:
    """Say what was told and what it took."""
    yield table.figure("told before the first run of the kind (0 is unknown)", unknown, "s")
    for pair in pairs:
        what = f"LoRA, {pair.photos} photos, {pair.steps} steps: told over taken"
        seconds = f" ({pair.told:.1f} s, {pair.taken:.1f} s)"
        yield table.figure(what, pair.told / pair.taken, more=seconds)
        near = abs(pair.computed - 1) <= TOLERANCE
        yield table.Row(f"{what}, computed", f"{pair.computed:.3f}", f"1 ± {TOLERANCE}", near)


def main() -> int:
    """Print the table."""
    arguments = machine.parse_arguments(__doc__ or "")
    with TemporaryDirectory() as place:
        return table.print_table(asyncio.run(measure(Path(place), quick=arguments.quick)))


if __name__ == "__main__":
    sys.exit(main())
