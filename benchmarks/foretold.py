"""How far the time on the pre-flight card is from what a training then takes, claim to end.

The real trainer and its worker run every kind once, which measures it; then with other steps and
photos, and the card's own arithmetic tells before each how long it will take.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks import machine, table
from benchmarks.service import Service, mascot, service
from storage.paces import Gait, foretold
from storage.plan import plan
from storage.records import Concept, Dial

if TYPE_CHECKING:
    from storage.records import Dataset, Plan

NEAR = 0.2  #: of what a training takes, how far the card's time may be away
MEASURED, LATER = (6, 40), ((10, 90), (4, 60), (8, 140))  #: photos and steps


async def told(running: Service, dataset: Dataset, photos: int, steps: int) -> Plan:
    """Plan a LoRA of a subject and tell how long it takes, as the pre-flight card does."""
    store, (base, *_) = running.store, running.catalog.bases
    planned = plan(
        running.catalog, method="lora", base=base.name, dial=Dial.BALANCED,
        concept=Concept.SUBJECT, photos=photos,
    )  # fmt: skip
    planned = replace(planned, steps=steps)
    gait = Gait.of(running.catalog.device, base, planned, dataset.concept)
    return foretold(await store.paces.all(), gait, planned)


async def taken(running: Service, dataset: Dataset, steps: int) -> float:
    """Train and give the seconds from claim to end."""
    ended = await running.ended(await running.train(dataset, seed=steps, steps=steps))
    return (ended.ended or 0) - (ended.started or 0)


async def measure(place: Path, *, quick: bool) -> list[table.Row]:
    """Measure once, then foretell and train."""
    async with service(place) as running:
        sets = {
            count: await running.dataset(f"set {count}", mascot()[:count])
            for count, _ in (MEASURED, *LATER)
        }
        unknown = await told(running, sets[MEASURED[0]], *MEASURED)
        await taken(running, sets[MEASURED[0]], MEASURED[1])
        pairs = []
        for count, steps in LATER[: 1 if quick else None]:
            before = (await told(running, sets[count], count, steps)).seconds
            pairs.append((before, await taken(running, sets[count], steps), count, steps))
    return list(rows(unknown.seconds, pairs))


def rows(unknown: float, pairs: list[tuple[float, float, int, int]]) -> Iterator[table.Row]:
    """Say what was told and what it took."""
    yield table.told("told before the first run of the kind", unknown, "s", " (unknown)")
    for before, after, photos, steps in pairs:
        what = f"LoRA, {photos} photos, {steps} steps: told over taken"
        figure = f"{before / after:.3f} ({before:.1f} s, {after:.1f} s)"
        yield table.Row(what, figure, f"1 ± {NEAR}", abs(before / after - 1) <= NEAR)


def main() -> int:
    """Print the table."""
    arguments = machine.chosen(__doc__ or "")
    with TemporaryDirectory() as place:
        return table.show(asyncio.run(measure(Path(place), quick=arguments.quick)))


if __name__ == "__main__":
    sys.exit(main())
