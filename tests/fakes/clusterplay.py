"""A scheduler whose machines have joined over a real Ray; prints what happened, as JSON.

    python -m tests.fakes.clusterplay FOLDER

The caller must be in namespaces of its own: see `benchmarks/speed/boxes.py`.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.speed.boxes import ADDRESS, NODE, Box, boxes
from storage.events import Progress
from storage.folders import Home
from storage.records import Status
from storage.store import Store
from storage.tables.nodes import Wish
from tests.fakes.jobqueue import ALICE, BOB, WORKER, QueueKit
from training.scheduler.ray.cluster import RayCluster
from training.settings import TrainingSettings

if TYPE_CHECKING:
    from storage.records import Job

HERE = "studio/cpu"
WAIT_SECONDS = 600.0  #: generous, as nothing is measured: it only ends a hang
PLAY_SECONDS = 1200.0


class Play:
    """A queue, the main machine's scheduler, and a box."""

    def __init__(self, store: Store, box: Box) -> None:
        self.queue, self.store, self.box = QueueKit(store), store, box
        self.folder = box.home / "places" / "cpu"  #: where its worker's data folder is

    async def wait_until_here(self, *, here: bool = True) -> None:
        """Wait until the box takes jobs, or no longer does."""
        async with asyncio.timeout(WAIT_SECONDS):
            while (self.box.place, here) not in {
                (node.place, node.here) for node in await self.store.nodes.list()
            }:
                await asyncio.sleep(0.1)

    async def wish(self, place: str, wish: Wish) -> None:
        """Let the operator ask something, and wait until the scheduler knows."""
        await self.store.nodes.set_wish(place, wish)
        await asyncio.sleep(0.5)

    async def train_there(self) -> Job:
        """Queue a training that stays at its step 25 on the box."""
        (self.folder / "hold").touch()
        dataset = await self.queue.add_dataset(ALICE, name="another")
        job = await self.queue.add_training(ALICE, dataset=dataset)
        await self.queue.wait_for_event(job, Progress, 25)
        return job

    async def go_on(self, job: Job) -> Job:
        """Let a training go on; return it done."""
        (self.folder / "hold").unlink(missing_ok=True)
        return await self.queue.wait_for(job, Status.DONE)


async def play(path: Path, box: Box) -> dict[str, Any]:
    """Train on both machines; kill the worker, the head, and what joined; return what came."""
    home = Home(path / "here")
    home.path.mkdir()
    told: dict[str, Any] = {}
    async with await Store.open(home) as store:
        stage = Play(store, box)
        cluster = RayCluster(home, ADDRESS, WORKER)
        queue = stage.queue
        async with queue.running_scheduler(device="cpu", cluster=cluster, box="studio"):
            await stage.wait_until_here()
            stranger = ask_without_token(path)
            told["namesake"] = await asyncio.to_thread(ask_as_namesake, box)
            jobs = [await queue.add_training(owner) for owner in (ALICE, BOB)]
            done = [await queue.wait_for(job, Status.DONE) for job in jobs]
            told["files"] = [len(queue.read_result(job)) > 0 for job in done]
            await stage.wish(HERE, Wish.DRAIN)
            job = await stage.train_there()
            os.kill(read_pid(home.path / "ray.json"), 9)  # the head's
            told["head"] = (await stage.go_on(job)).worker
            await stage.wish(box.place, Wish.REMOVE)
            with suppress(TimeoutError):
                await asyncio.to_thread(box.joined.wait, WAIT_SECONDS)
            told["stranger"] = await asyncio.to_thread(stranger.wait)
            told["left"] = [str(each) for each in box.home.rglob("runs/*") if each.is_file()]
            told["nodes"] = [node.place for node in await store.nodes.list()]
    return told


def ask_without_token(path: Path) -> subprocess.Popen[bytes]:
    """Try to connect to the head with another token."""
    token = path / "other"
    token.write_text("0" * 64)
    token.chmod(0o600)
    known = os.environ | {"RAY_AUTH_TOKEN_PATH": str(token)}
    return subprocess.Popen(
        [*NODE, "check", ADDRESS, "stranger"], env=known, stderr=subprocess.DEVNULL
    )


def ask_as_namesake(box: Box) -> int:
    """Ask on the box whether the head takes a machine that is called like the main one."""
    command = [*box.inside, *NODE, "check", ADDRESS, TrainingSettings().box_name]
    return subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode


def read_pid(note: Path) -> int:
    """Return the process that a note names."""
    return int(json.loads(note.read_bytes())["pid"])


def main(path: Path) -> None:
    """Play on two machines."""
    with boxes(path) as (box,):
        box.join()
        told = asyncio.run(asyncio.wait_for(play(path, box), PLAY_SECONDS))
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
