"""Machines that have joined over a real Ray: what deaths and cuts cost, what a second one wins.

    python -m benchmarks.speed.cluster [--quick] [--kills N] [--jobs N] [--seed S]

Boxes are namespaces of this machine, joined by cables; trainings are real ones of the embedded
base. One thing after the other goes wrong at a random moment while two members train; then equal
trainings are timed on one box and on two, each of which has a core of its own.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import machine, table
from benchmarks.chaos.load import MEMBERS, Load, weights_digest
from benchmarks.speed.boxes import ADDRESS, ALONE, Box, boxes
from benchmarks.speed.faults import Fault
from benchmarks.speed.service import POLL_SECONDS, TIMEOUT_SECONDS, running_service
from storage.events import Done, Progress
from storage.records import Job, Status
from storage.store import Store
from storage.tables.nodes import Wish

INSIDE = "SAFELIGHT_BENCHMARK_INSIDE"  #: is set in namespaces
MAIN = "studio"
KILLS, QUICK_KILLS = 60, 4
STEPS = 125  #: of a training that something happens to; checkpoints are at every 25th
CUT_SECONDS = 25.0  #: that a cable is out, at most; after 10 its machine counts as away
EQUAL_JOBS, QUICK_JOBS, EQUAL_STEPS = 20, 4, 300
EQUAL = 9100  #: the first of the members with equal trainings
NOTICED = {Fault.WORKER: 5.0, Fault.CABLE: 30.0}  #: seconds
PAIRS = 1  #: of runs on two boxes and on one
MAX_TWO_BOXES = 0.55  #: of the time of one


@dataclass
class Losses:
    """What came of the faults."""

    faults: int = 0
    noticed: dict[Fault, list[float]] = field(default_factory=dict)  #: after seconds
    again: list[float] = field(default_factory=list)  #: seconds from a dead head to the next step
    lost: int = 0  #: trainings without a file
    doubled: int = 0  #: trainings that ended twice
    foreign: int = 0  #: those that ended under a claim that was over
    differ: int = 0  #: files that differ from those of an undisturbed training


class Stage:
    """A scheduler whose own worker takes no jobs, boxes, and members who train there."""

    def __init__(self, store: Store, machines: Sequence[Box], seed: int) -> None:
        self.store, self.machines = store, machines
        self.chance = random.Random(seed)  # noqa: S311 - to be repeated
        self.load = Load(store, self.chance, STEPS)
        self.expected: dict[int, str] = {}  #: the digest of a member's file
        self.losses = Losses()

    async def begin(self) -> None:
        """Wait until all boxes take jobs, and let members train without any fault."""
        await self.load.add_members()
        await self.wish(f"{MAIN}/cpu", Wish.DRAIN)
        await self.wait_until_here(self.machines)
        for member in MEMBERS:
            job = await self.wait_until_over(await self.load.queue_training(member))
            self.expected[member] = self.digest(job)

    async def add_members(self, first: int, count: int) -> list[int]:
        """Add members with a dataset each; return their ids."""
        found = list(range(first, first + count))
        for member in found:
            if member not in self.load.datasets:
                dataset = await self.load.add_dataset(member, f"pet{member}")
                self.load.datasets[member] = dataset
        return found

    async def wish(self, place: str, wish: Wish) -> None:
        """Let the operator ask something of a worker, and wait until the scheduler knows."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while not await self.store.nodes.set_wish(place, wish):
                await asyncio.sleep(POLL_SECONDS)
        await asyncio.sleep(2)

    async def wait_until_here(self, machines: Sequence[Box]) -> None:
        """Wait until boxes take jobs."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while {box.place for box in machines} - {
                node.place for node in await self.store.nodes.list() if node.here
            }:
                await asyncio.sleep(POLL_SECONDS)

    async def wait_until_over(self, job: Job) -> Job:
        """Return a job once it has ended, in whichever way."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while not (now := await self.store.jobs.get(job.id)).status.ended:
                await asyncio.sleep(POLL_SECONDS)
        return now

    async def wait_for_step(self, job: Job) -> None:
        """Wait until more is heard of a training, or it has ended."""
        await asyncio.sleep(1)  # what was on its way has come
        before = len(await self.store.events.list_kind(job.id, Progress))
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while not (await self.store.jobs.get(job.id)).status.ended and (
                len(await self.store.events.list_kind(job.id, Progress)) == before
            ):
                await asyncio.sleep(POLL_SECONDS)

    async def suffer(self, fault: Fault) -> None:
        """Let something go wrong while both members train, and count what that did."""
        jobs = [await self.load.queue_training(member) for member in MEMBERS]
        for job in jobs:
            await self.wait_for_step(job)
        await asyncio.sleep(self.chance.random() * 4)
        box = self.chance.choice(self.machines)
        now = [await self.store.jobs.get(job.id) for job in jobs]
        there = [job for job in now if job.worker == box.place and job.status is Status.RUNNING]
        began, wait = time.monotonic(), self.chance.random() * CUT_SECONDS
        with fault.happens(box, self.store.home):
            if fault in NOTICED and there and await self.is_noticed(there[0], fault, wait):
                self.losses.noticed.setdefault(fault, []).append(time.monotonic() - began)
        if fault is Fault.HEAD and there:
            await self.wait_for_step(there[0])
            self.losses.again.append(time.monotonic() - began)
        for job in jobs:
            await self.count(await self.wait_until_over(job))
        self.losses.faults += 1
        await self.wait_until_here(self.machines)

    async def is_noticed(self, job: Job, fault: Fault, seconds: float) -> bool:
        """Wait until nobody has a job under its claim; a cable is out for some seconds alone."""
        deadline = time.monotonic() + (seconds if fault is Fault.CABLE else TIMEOUT_SECONDS)
        while time.monotonic() < deadline:
            now = await self.store.jobs.get(job.id)
            if now.status is not Status.RUNNING or now.fence != job.fence:
                return not now.status.ended
            await asyncio.sleep(POLL_SECONDS)
        return False

    async def count(self, job: Job) -> None:
        """Count what is wrong with a training that has ended."""
        if job.status is not Status.DONE:
            print(f"job {job.id} is {job.status}: {job.error}", file=sys.stderr, flush=True)
            self.losses.lost += 1
            return
        ends = await self.store.events.list_kind(job.id, Done)
        self.losses.doubled += len(ends) != 1
        self.losses.foreign += any(end.fence != job.fence for end in ends)
        self.losses.differ += self.digest(job) != self.expected[job.owner]

    def digest(self, job: Job) -> str:
        """Return the digest of the file that a training made."""
        (made,) = self.store.home.job_folder(job.folder).result.glob("*.safetensors")
        return weights_digest(made)

    async def time_jobs(self, machines: Sequence[Box], jobs: int) -> float:
        """Return the seconds that equal trainings take on some of the boxes."""
        for box in self.machines:
            await self.wish(box.place, Wish.NONE if box in machines else Wish.DRAIN)
        self.load.steps = EQUAL_STEPS
        members, began = await self.add_members(EQUAL, jobs), time.monotonic()
        for job in [await self.load.queue_training(member) for member in members]:
            await self.wait_until_over(job)
        return time.monotonic() - began


def list_faults(chance: random.Random, kills: int) -> list[Fault]:
    """Return so many faults, each as often, in any order."""
    faults = [list(Fault)[at % len(Fault)] for at in range(kills)]
    chance.shuffle(faults)
    return faults


def count_left(machines: Sequence[Box]) -> int:
    """Return how many files of jobs lie on boxes."""
    return sum(file.is_file() for box in machines for file in box.home.glob("places/*/runs/**/*"))


def count_photos(main: Path, machines: Sequence[Box]) -> int:
    """Return how many files on boxes are a member's photo, by their digests."""
    photos = {digest(file) for file in (main / "photos").rglob("*") if file.is_file()}
    files = (file for box in machines for file in box.home.rglob("*"))
    return sum(digest(file) in photos for file in files if file.is_file())


def digest(file: Path) -> str:
    """Return the digest of a file."""
    return sha256(file.read_bytes()).hexdigest()


async def measure(
    main: Path, machines: Sequence[Box], kills: int, jobs: int, seed: int
) -> list[table.Row]:
    """Return the figures of faults and of equal jobs."""
    async with running_service(main) as running:
        stage = Stage(running.store, machines, seed)
        await stage.begin()
        for fault in list_faults(stage.chance, kills):
            await stage.suffer(fault)
            print(f"{fault}: {stage.losses}", file=sys.stderr, flush=True)
        found, pairs = stage.losses, list[tuple[float, float]]()
        for _ in range(PAIRS if jobs else 0):
            two = await stage.time_jobs(machines, jobs)
            pairs.append((two, await stage.time_jobs(machines[:1], jobs)))
    rows = [
        table.at_most(
            f"a box's {fault} is gone: noticed, slowest of {len(seconds)}", max(seconds),
            NOTICED[fault], "s",
        )
        for fault, seconds in found.noticed.items()
    ]  # fmt: skip
    if found.again:
        slowest = max(found.again)
        rows.append(table.figure("Ray's head is killed: trainings go on after", slowest, "s"))
    for name in ("lost", "doubled", "foreign", "differ") if kills else ():
        what = f"{found.faults} kills and cuts of worker, raylet, head and cable: {name}"
        rows.append(table.at_most(what, getattr(found, name), 0))
    if pairs:
        what = f"{jobs} equal trainings on two boxes, of the time of one"
        rows.append(table.at_most(what, table.ratio(pairs), MAX_TWO_BOXES))
    return rows


def measure_boxes(kills: int, jobs: int, seed: int) -> Iterator[table.Row]:
    """Yield the figures of two boxes, and what is on them after they have left."""
    with TemporaryDirectory() as place:
        main = Path(place) / "main"
        main.mkdir()
        with boxes(Path(place), 2) as machines:
            for core, box in enumerate(machines):
                own = ("taskset", "--cpu-list", str(core % (os.cpu_count() or 1)))
                box.join(*own if jobs else ())
            yield from asyncio.run(measure(main, machines, kills, jobs, seed))
            for box in machines:
                box.leave()
            left = count_left(machines) + count_photos(main, machines)
            yield table.at_most("files of jobs, and photos, on the boxes after `leave`", left, 0)


def main() -> int:
    """Print the table; return 1 if a bar is missed."""
    if INSIDE not in os.environ:
        command = [*ALONE, sys.executable, "-m", "benchmarks.speed.cluster", *sys.argv[1:]]
        return subprocess.run(command, check=False, env=os.environ | {INSIDE: "1"}).returncode
    given = machine.parse_arguments(__doc__ or "", kills=int, jobs=int, seed=int)
    os.environ |= {"SAFELIGHT_HEAD": ADDRESS, "SAFELIGHT_BOX": MAIN, "SAFELIGHT_DEVICE": "cpu"}
    usual = (QUICK_KILLS, QUICK_JOBS) if given.quick else (KILLS, EQUAL_JOBS)
    kills, jobs = (
        number if wanted is None else wanted
        for number, wanted in zip(usual, (given.kills, given.jobs), strict=True)
    )
    return table.print_table(measure_boxes(kills, jobs, given.seed or 0))


if __name__ == "__main__":
    sys.exit(main())
