"""Time how soon a warm worker starts a job, and answers `/sample` during a training."""

from __future__ import annotations

import asyncio
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks import machine, table
from benchmarks.speed.service import Service, list_mascot_photos, running_service
from storage.events import Done, PreviewsDrawn, Progress, Started
from training.lazy import SLOW_IMPORTS

if TYPE_CHECKING:
    from storage.records import Job

START = 1.5  #: seconds from the claim to the first step of a second job
STEPS = 2  #: steps that a sample may wait for
IMPORTS = 8  #: processor seconds until a cold worker has what it needs to take jobs


def time_imports(what: str) -> float:
    """Return the CPU seconds that a module's imports take, in a child process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", f"import {what}"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


async def time_start(running: Service, job: Job) -> tuple[float, float, float]:
    """Return the seconds until the first step, from the claim and from the request.

    The third value is from the claim until the previews "before training" are there.
    """
    ended = await running.wait_until_ended(job)
    (began,) = await running.store.events.list_kind(job.id, Started)
    (done,) = await running.store.events.list_kind(job.id, Done)
    first_step = began.at + done.event.timings.first_step_seconds
    (before, *_) = await running.store.events.list_kind(job.id, PreviewsDrawn)
    return (
        first_step - (ended.started or 0),
        first_step - ended.created,
        before.at - (ended.started or 0),
    )


async def time_sample(running: Service, seed: int, style: int | None) -> float:
    """Queue a picture and return the seconds until the job has ended in the database."""
    ended = await running.wait_until_ended(await running.queue_sample(seed, style))
    return (ended.ended or 0) - ended.created


async def time_samples(running: Service, times: int) -> tuple[list[float], list[float], float]:
    """Return sample seconds on an idle worker and during a training, and the seconds of a step."""
    (style, *_) = await running.store.styles.list_for(1)
    dataset = (await running.store.datasets.list_for(1))[0]
    await time_sample(running, 0, style.id)
    idle = [await time_sample(running, seed, style.id) for seed in range(1, times + 1)]
    training = await running.queue_training(dataset, seed=3, steps=20 * times + 60)
    await running.wait_for_event(training, Progress)
    busy = []
    for seed in range(101, 101 + times):
        busy.append(await time_sample(running, seed, style.id))
        await asyncio.sleep(0.37)  # so that requests fall anywhere in a step
    (latest, *_) = reversed(await running.store.events.list_kind(training.id, Progress))
    await running.wait_until_ended(training)
    idle += [await time_sample(running, seed, style.id) for seed in range(201, 201 + times)]
    return idle, busy, 1 / latest.event.steps_per_second


async def time_style_swap(running: Service, times: int) -> float:
    """Return the time ratio of a picture with another style than before to one with the same."""
    one, other, *_ = await running.store.styles.list_for(1)
    pairs = []
    for seed in range(301, 301 + times):
        await time_sample(running, seed, one.id)
        same = await time_sample(running, seed, one.id)
        pairs.append((await time_sample(running, seed, other.id), same))
    return table.ratio(pairs)


async def measure(place: Path, times: int) -> list[table.Row]:
    """Train several times, then sample."""
    async with running_service(place) as running:
        dataset = await running.add_dataset("glim", list_mascot_photos())
        cold = await time_start(running, await running.queue_training(dataset, seed=1, steps=60))
        starts = [
            await time_start(running, await running.queue_training(dataset, seed=seed, steps=30))
            for seed in range(10, 10 + max(3, times // 2))
        ]
        idle, busy, step = await time_samples(running, times)
        swap = await time_style_swap(running, times)
    claimed, asked, before = (statistics.median(column) for column in zip(*starts, strict=True))
    idle_median, busy_median = statistics.median(idle), statistics.median(busy)
    importing, whole = (
        time_imports("training.worker.runtime"),
        time_imports(f"training.worker.runtime, {', '.join(SLOW_IMPORTS)}"),
    )
    slowest = f" (slowest {max(busy):.2f} s)"
    return [
        table.at_most("imports until a worker takes jobs, computed", importing, IMPORTS, "s"),
        table.figure("the same over torch's alone", importing / time_imports("torch")),
        table.figure("imports until it has all that jobs need, as it does when idle", whole, "s"),
        table.figure("first job, from claim to first step", cold[0], "s"),
        table.at_most("later jobs, from claim to first step, median", claimed, START, "s"),
        table.figure("later jobs, from claim to two pictures drawn before training", before, "s"),
        table.figure("later jobs, from asking to first step, median", asked, "s"),
        table.figure("/sample on an idle worker, median", idle_median, "s"),
        table.figure("/sample with another style than before, over the same one", swap),
        table.figure("/sample during a training, median", busy_median, "s", slowest),
        table.at_most(
            "steps a sample waits for, median", (busy_median - idle_median) / step, STEPS
        ),
        table.figure("a training step", step, "s"),
    ]


def main() -> int:
    """Print the table."""
    arguments = machine.parse_arguments(__doc__ or "")
    with TemporaryDirectory() as place:
        return table.print_table(asyncio.run(measure(Path(place), 3 if arguments.quick else 12)))


if __name__ == "__main__":
    sys.exit(main())
