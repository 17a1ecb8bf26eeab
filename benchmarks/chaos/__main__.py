"""Run the chaos: `python -m benchmarks.chaos --kills 1000 --seed 1`."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import machine, table
from benchmarks.chaos.house import House, open_house, running_nursery
from benchmarks.chaos.injuries import Injuries
from benchmarks.chaos.load import MEMBERS, STEPS, Load, pixels_digest, weights_digest
from benchmarks.chaos.verdict import Inspector, Verdict
from storage.records import Job, Status

STUCK_SECONDS = 30.0  #: without any event, although nothing was injured
PAUSE_SECONDS = 0.4  #: between two injuries, on average
MAX_QUIET_SECONDS = 3.0  #: until the next injury, though no job got further
WAIT_SECONDS = 600.0
TURN_SECONDS = 0.1
QUIET_SECONDS = 3.0  #: without a request to Discord, until the bot has nothing more to say


async def draw_expected(folder: Path, nursery: Path, steps: int) -> dict[str, str]:
    """Run every kind of job without injuries; return the digests of what comes out."""
    expected = {}
    async with open_house(folder / "undisturbed", nursery) as house:
        load = Load(house.store, random.Random(0), steps)
        await load.add_members()
        for member in MEMBERS:
            training = await finish(house, await load.queue_training(member))
            style = await house.store.styles.get(training.style or 0, member, training.guild)
            path = house.home.style_file(style.folder, style.name)
            expected[f"style {member}"] = weights_digest(path)
            for kind, number in (("picture", None), ("styled picture", style.id)):
                sample = await finish(house, await load.queue_sample(member, number))
                result = house.home.job_folder(sample.folder).result
                expected[f"{kind} {member}"] = pixels_digest(next(result.glob("*.png")))
        await house.stop()
    return expected


async def finish(house: House, job: Job) -> Job:
    """Return a job once it is done."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not (now := await house.store.jobs.get(job.id)).status.ended:
            house.keep()
            await asyncio.sleep(TURN_SECONDS)
    if now.status is not Status.DONE:
        raise RuntimeError(f"undisturbed, job {now.id} is {now.status}: {now.error}")
    return now


class Chaos:
    """One run: injuries while members are served, then quiet until every job has ended."""

    def __init__(self, house: House, kills: int, seed: int, steps: int) -> None:
        self.house = house
        self.load = Load(house.store, random.Random(seed), steps)
        self.injuries = Injuries(house, random.Random(seed + 1), kills_left=kills)
        self.draw = random.Random(seed + 2)
        self.newest, self.newest_at = 0, time.monotonic()
        self.stuck: list[str] = []
        self.longest_quiet = 0.0

    async def run(self) -> None:
        """Injure until there are no kills left, then wait for the jobs to end."""
        self.house.bot_wanted = True
        await self.load.add_members()
        async with asyncio.TaskGroup() as tasks:  # if nobody keeps the house, the run fails
            keeper = tasks.create_task(self.keep())
            while self.injuries.kills_left > 0 and not self.stuck:
                await self.load.top_up()
                await self.rest()
                await self.injuries.injure()
            while await self.house.store.jobs.list_open() and not self.stuck:
                await asyncio.sleep(TURN_SECONDS)
            await self.let_bot_finish()
            keeper.cancel()
        await self.house.stop()

    async def rest(self) -> None:
        """Wait until some job got further, and a little."""
        before, began = self.newest, time.monotonic()
        while self.newest == before and time.monotonic() - began < MAX_QUIET_SECONDS:
            await asyncio.sleep(TURN_SECONDS)
        await asyncio.sleep(self.draw.expovariate(1 / PAUSE_SECONDS))

    async def keep(self) -> None:
        """Start again what ended, and note when nothing moves although nothing was injured."""
        while True:
            self.house.keep()
            newest = await self.house.store.events.newest_id()
            if newest != self.newest:
                self.newest, self.newest_at = newest, time.monotonic()
            quiet = time.monotonic() - max(self.newest_at, self.injuries.last_at)
            open_jobs = await self.house.store.jobs.list_open()
            self.longest_quiet = max(self.longest_quiet, quiet if open_jobs else 0)
            if open_jobs and quiet > STUCK_SECONDS:
                states = ", ".join(f"{job.id} {job.kind} {job.status}" for job in open_jobs)
                self.stuck.append(f"nothing happened for {quiet:.0f} s: {states}")
                self.newest_at = time.monotonic()
            await asyncio.sleep(TURN_SECONDS)

    async def let_bot_finish(self) -> None:
        """Wait until the bot has read every event and has no more to post or edit."""
        twin, store = self.house.twin, self.house.store
        changed = -1
        async with asyncio.timeout(WAIT_SECONDS):
            while changed != twin.changes or await store.posts.list_waiting():
                changed = twin.changes
                while await store.events.read_cursor("bot") < await store.events.newest_id():
                    await asyncio.sleep(TURN_SECONDS)
                await asyncio.sleep(QUIET_SECONDS)


Run = tuple[Chaos, Verdict]


async def run(
    folder: Path, kills: int, seeds: Sequence[int], steps: int = STEPS
) -> dict[int, Run]:
    """Return a finished run for each seed, in houses of their own, and the harm it did."""
    async with running_nursery(folder) as nursery, asyncio.TaskGroup() as tasks:
        expected = tasks.create_task(draw_expected(folder, nursery, steps))
        runs = {}
        for seed in seeds:
            make = partial(Chaos, kills=kills, seed=seed, steps=steps)
            one = run_one(open_house(folder / str(seed), nursery), make, expected)
            runs[seed] = tasks.create_task(one)
    return {seed: task.result() for seed, task in runs.items()}


async def run_one(
    opening: AbstractAsyncContextManager[House],
    make: Callable[[House], Chaos],
    expected: asyncio.Task[dict[str, str]],
) -> Run:
    """Return one finished run, and the harm it did, compared with undisturbed jobs."""
    async with opening as house:
        chaos = make(house)
        await chaos.run()
        verdict = await Inspector(house.store, house.twin, await expected).inspect(chaos.load.jobs)
        verdict.stuck += chaos.stuck
        verdict.orphans += [f"process {pid}" for pid in house.list_processes()]
        return chaos, verdict


def rows(chaos: Chaos, verdict: Verdict) -> list[table.Row]:
    """Return the rows of the table."""
    done = chaos.injuries.done
    refused = [code for _, code in chaos.house.read_exits() if code == 2]
    return [
        table.figure("injuries", sum(done.values()), "", f" in {len(done)} ways"),
        table.figure("jobs", len(chaos.load.jobs)),
        table.figure("posts", len(chaos.house.twin.posts)),
        table.figure("posts held back by their nonce", chaos.house.twin.repeated_nonces),
        table.figure("longest quiet with jobs open", chaos.longest_quiet, "s"),
        *(
            table.at_most(name, len(getattr(verdict, kind)), 0)
            for name, kind in {
                "lost": "lost", "doubled": "doubled", "failed though innocent": "failed",
                "stuck > 30 s": "stuck", "foreign bytes": "foreign", "orphans": "orphans",
            }.items()
        ),
        table.at_most("starts refused (exit code 2)", len(refused), 0),
        table.at_most("gaps of the Discord twin", len(chaos.house.twin.failures), 0),
    ]  # fmt: skip


def main() -> int:
    """Run the chaos and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a new folder to leave logs and data in")
    given = parser.parse_args()
    print(machine.describe_machine(), f"seed {given.seed}", "", sep="\n", flush=True)
    with TemporaryDirectory() as place:
        folder = given.keep or Path(place)
        folder.mkdir(parents=True, exist_ok=True)
        runs = asyncio.run(run(folder, given.kills, [given.seed]))
    chaos, verdict = runs[given.seed]
    code = table.print_table(rows(chaos, verdict))
    print("", *verdict.lines(), *chaos.house.twin.failures[:20], sep="\n")
    print("", *(f"{n:5} {what}" for what, n in sorted(chaos.injuries.done.items())), sep="\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
