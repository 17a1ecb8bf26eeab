"""Time how soon a dead worker and a hung one are noticed, and their training goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import machine, table
from benchmarks.speed.service import (
    POLL_SECONDS,
    TIMEOUT_SECONDS,
    Service,
    list_mascot_photos,
    running_service,
)
from storage.events import Progress, Started
from storage.records import Job, JobCommand, Status
from training.worker.folder import WorkerFolder

DEAD_SECONDS, HUNG_SECONDS = 15, 60  #: until it is noticed
STEPS = 2000  #: of a training that never ends here


@dataclass(frozen=True, slots=True)
class Death:
    """Seconds after a signal."""

    noticed: float  #: until the job is queued again
    resumed: float  #: until its training has begun again


async def time_death(running: Service, job: Job, number: signal.Signals) -> Death:
    """Send the worker a signal in the middle of a training, and wait until that goes on."""
    store, fence = running.store, (await store_job(running, job)).fence
    starts = len(await store.events.list_kind(job.id, Started))
    (folder,) = store.home.workers.iterdir()
    process = WorkerFolder(folder).read_process()
    if process is None:
        raise RuntimeError("there is no worker")
    os.kill(process["pid"], number)
    sent = time.monotonic()
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while (now := await store_job(running, job)).status is Status.RUNNING and (
            now.fence == fence
        ):
            await asyncio.sleep(POLL_SECONDS)
        noticed = time.monotonic() - sent
        while len(await store.events.list_kind(job.id, Started)) == starts:
            await asyncio.sleep(POLL_SECONDS)
    return Death(noticed, time.monotonic() - sent)


async def store_job(running: Service, job: Job) -> Job:
    """Return a job as it is now."""
    return await running.store.jobs.get(job.id)


async def wait_for_steps(running: Service, job: Job) -> None:
    """Wait until a training has got further once more."""
    before = len(await running.store.events.list_kind(job.id, Progress))
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while len(await running.store.events.list_kind(job.id, Progress)) == before:
            await asyncio.sleep(POLL_SECONDS)


async def measure(home: Path, times: int) -> list[table.Row]:
    """Return the rows of the table."""
    rows = []
    async with running_service(home) as running:
        dataset = await running.add_dataset("mydog", list_mascot_photos())
        job = await running.queue_training(dataset, seed=1, steps=STEPS)
        for what, number, bar in (
            ("a worker that was killed", signal.SIGKILL, DEAD_SECONDS),
            ("a worker that hangs", signal.SIGSTOP, HUNG_SECONDS),
        ):
            deaths = []
            for _ in range(times):
                await wait_for_steps(running, job)
                deaths.append(await time_death(running, job, number))
            slowest = max(death.noticed for death in deaths)
            resumed = statistics.median(death.resumed for death in deaths)
            rows += [
                table.at_most(f"{what} is noticed, slowest of {times}", slowest, bar, "s"),
                table.figure("its training goes on, median", resumed, "s"),
            ]
        await running.store.jobs.send_command(job.id, JobCommand.CANCEL, running.member)
    return rows


def main() -> int:
    """Measure and print the table."""
    given = machine.parse_arguments(__doc__ or "")
    with TemporaryDirectory() as place:
        return table.print_table(asyncio.run(measure(Path(place), 1 if given.quick else 5)))


if __name__ == "__main__":
    sys.exit(main())
