"""A job queue in a file, for tests of the scheduler and of whole trainings."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from contextlib import asynccontextmanager, contextmanager
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from PIL import Image

from storage.events import Event, StatusChanged
from storage.records import CheckedPhoto, Concept, Kind, NewJob, Status
from storage.settings import read_settings
from training.scheduler.backend import Backend
from training.scheduler.local import LocalBackend
from training.scheduler.scheduler import Scheduler
from training.settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from storage.records import Dataset, Job
    from storage.store import Store
    from training.scheduler.cluster import Cluster

ALICE, BOB, GUILD, CHANNEL = 1001, 1002, 77, 88
SCHEDULER = ("-m", "tests.fakes.worker", "scheduler")
WORKER = (sys.executable, "-m", "tests.fakes.worker")
E = TypeVar("E", bound=Event)
POLL_SECONDS = 0.02  #: of schedulers and of what waits for them
TIMEOUT_SECONDS = 900  #: generous, as nothing is measured here: it only ends a hang


class QueueKit:
    """A job queue with members who train, and schedulers that work on it."""

    def __init__(self, store: Store) -> None:
        self.store, self.home = store, store.home
        self.hold = store.home.path / "hold"

    async def add_dataset(
        self, owner: int = ALICE, count: int = 2, name: str = "mydog"
    ) -> Dataset:
        """Add a dataset of plain squares."""
        dataset = await self.store.datasets.create(owner, GUILD, name, Concept.LOOK)
        for at in range(count):
            file = BytesIO()
            Image.new("RGB", (64, 64), (owner % 256, 60 * at % 256, 90)).save(file, "PNG")
            digest = sha256(file.getvalue()).hexdigest()
            size = (64, 64, file.getvalue(), b"preview", ())
            await self.store.photos.add(dataset, CheckedPhoto(digest, at << 16 | 0xFF, *size))
        return dataset

    async def add_training(
        self, owner: int = ALICE, *, dataset: Dataset | None = None, **more: Any
    ) -> Job:
        """Queue a training."""
        dataset = dataset or await self.add_dataset(owner)
        request = {
            "method": "lora", "base": "embedded", "name": dataset.name, "trigger": dataset.trigger,
            "concept": "look", "dial": "quick", "steps": 40, "rank": 2, "learning_rate": 1e-3,
            "batch_size": 2, "seed": 7,
        } | more  # fmt: skip
        base = request["base"]
        return await self.add_job(Kind.TRAIN, owner, request, base, dataset=dataset.id)

    async def add_sample(self, owner: int = BOB, prompt: str = "a cat", **more: Any) -> Job:
        """Queue a sample of one picture."""
        base = more.pop("base", "embedded")
        request = {"base": base, "prompt": prompt, "seed": 3, "steps": 2, "count": 1}
        return await self.add_job(Kind.SAMPLE, owner, request, base, **more)

    async def add_captions(self, dataset: Dataset, owner: int = ALICE) -> Job:
        """Queue captions for all photos of a dataset."""
        photos = [photo.id for photo in await self.store.photos.list_for(dataset.id, owner)]
        request = {"captioner": "embedded", "trigger": "", "photos": photos}
        return await self.add_job(Kind.CAPTION, owner, request, "embedded", dataset=dataset.id)

    async def add_job(
        self, kind: Kind, owner: int, request: dict[str, Any], base: str, **more: Any
    ) -> Job:
        """Queue a job."""
        new = NewJob(kind, owner, GUILD, CHANNEL, request, base, **more)
        return await self.store.jobs.queue(new)

    async def wait_for(self, job: Job, *statuses: Status) -> Job:
        """Return a job once it has one of these statuses; fail if it ends with another."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while True:
                now = await self.store.jobs.get(job.id)
                if now.status in statuses or now.status.ended:
                    assert now.status in statuses, (now.error, self.read_logs())
                    return now
                await asyncio.sleep(0.02)

    async def wait_for_event(self, job: Job, kind: type[E], count: int = 1) -> E:
        """Return a job's last event of a kind once there are `count` of them."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while len(found := await self.store.events.list_kind(job.id, kind)) < count:
                await asyncio.sleep(0.02)
        return found[-1].event

    async def list_statuses(self, job: Job) -> list[str]:
        """List the statuses that a job has had, oldest first."""
        entries = await self.store.events.list_kind(job.id, StatusChanged)
        return [entry.event.status for entry in entries]

    def read_handle(self, name: str = "cpu") -> dict[str, Any]:
        """Read the file that identifies a worker's process."""
        handle: dict[str, Any] = json.loads(
            (self.home.workers / name / "handle.json").read_bytes()
        )
        return handle

    def read_environ(self, name: str = "cpu") -> bytes:
        """Read the environment of a worker's process."""
        return self.read_proc(self.read_handle(name)["pid"], "environ")

    def read_proc(self, pid: int, what: str) -> bytes:
        """Read a file of a process below /proc."""
        return Path(f"/proc/{pid}/{what}").read_bytes()

    def read_state(self, name: str = "cpu") -> dict[str, Any]:
        """Read the state that a worker writes, empty before it has."""
        path = self.home.workers / name / "state.json"
        return json.loads(path.read_bytes()) if path.exists() else {}

    def read_result(self, job: Job) -> bytes:
        """Read the style's file of a finished training."""
        return (
            self.home.job_folder(job.folder).result / f"{job.request['name']}.safetensors"
        ).read_bytes()

    def read_logs(self) -> str:
        """Return the end of the workers' logs."""
        return "".join(path.read_text() for path in self.home.workers.glob("*/log.txt"))[-3000:]

    @contextmanager
    def running_process(self, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a Python program on this queue's home; kill it in the end."""
        known = os.environ | {"SAFELIGHT_HOME": str(self.home.path)}
        log = self.home.workers / "scheduler.log"
        with (
            log.open("ab") as out,
            subprocess.Popen([sys.executable, *command], env=known, stderr=out) as child,
        ):
            try:
                yield child
            finally:
                child.kill()
                child.wait()

    @asynccontextmanager
    async def running_scheduler(
        self, backend: Backend | None = None, cluster: Cluster | None = None, **known: Any
    ) -> AsyncIterator[Scheduler]:
        """Run a scheduler in this process, whose workers are fake, and here if nobody says."""
        backend = backend or LocalBackend(self.home, WORKER)
        chosen = read_settings(
            TrainingSettings, **{"home": self.home.path, "device": "cpu"} | known
        )
        scheduler, stop = Scheduler(self.store, chosen, backend, cluster), asyncio.Event()
        scheduler.poll_seconds = scheduler.compare_seconds = POLL_SECONDS
        running = asyncio.create_task(scheduler.run(stop))
        try:
            yield scheduler
        finally:
            stop.set()
            await running

    def stop_workers(self) -> None:
        """Stop the workers that a test left behind."""
        for handle in self.home.workers.glob("*/handle.json"):
            LocalBackend(self.home).stop(json.loads(handle.read_bytes()))
