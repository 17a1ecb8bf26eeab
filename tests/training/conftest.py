"""Real parts for training: the embedded base on one thread, drawn photos, job folders."""

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
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageDraw

from storage.folders import Home, JobFolder, dump
from storage.records import Checked, Concept, Dial, Event, Kind, NewJob, Status
from storage.requests import TrainRequest
from storage.store import Store
from training import settings
from training.scheduler.local import LocalBackend
from training.scheduler.scheduler import Trainer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from storage.records import Dataset, Job
    from training.bases.registry import Bases
    from training.recipe.recipe import Recipe

ALICE, BOB, GUILD, CHANNEL = 1001, 1002, 77, 88
TWIN = Path(__file__).parents[1] / "fakes" / "worker.py"
TIMEOUT = 900  #: seconds; nothing here is measured, a hang only ends


@pytest.fixture(scope="session")
def bases() -> Bases:
    """Hold the embedded base, loaded once, on the CPU and one thread."""
    import torch  # noqa: PLC0415  # tests without torch start fast

    from training.bases.registry import Bases  # noqa: PLC0415
    from training.device import Device  # noqa: PLC0415

    torch.set_num_threads(1)
    return Bases(None, Device.open(cpu=True))


@pytest.fixture(scope="session")
def tinies(tmp_path_factory: pytest.TempPathFactory) -> Bases:
    """Hold a tiny random model of every family, as folders among an operator's own."""
    import torch  # noqa: PLC0415  # tests without torch start fast

    from training import families  # noqa: PLC0415
    from training.bases import random  # noqa: PLC0415
    from training.bases.registry import Bases  # noqa: PLC0415
    from training.device import Device  # noqa: PLC0415

    torch.set_num_threads(1)
    home = tmp_path_factory.mktemp("tinies")
    for name in families.names():
        random.kept(home, name)
    return Bases(home, Device.open(cpu=True))


def shoot(folder: Path, count: int) -> list[str]:
    """Draw photos of a green ball."""
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for at in range(count):
        picture = Image.new("RGB", (90 + 10 * at, 80), (200, 60, 30 * at % 256))
        ImageDraw.Draw(picture).ellipse((20, 15, 70, 65), fill=(20, 200, 100))
        picture.save(folder / f"{at}.png")
        names.append(f"{at}.png")
    return names


@pytest.fixture
def recipe(bases: Bases) -> Callable[..., Recipe]:
    """Make recipes for the embedded base."""
    from training.recipe.recipe import Recipe  # noqa: PLC0415

    def made(method: str = "lora", photos: int = 3, steps: int = 4, **more: Any) -> Recipe:
        request = TrainRequest(
            method, "embedded", "mydog", "mydog", more.pop("concept", Concept.LOOK), Dial.QUICK,
            steps, more.pop("rank", 2), 1e-2, 2, 7, "dog",
        )  # fmt: skip
        shots = [(f"{at}.png", "") for at in range(photos)]
        given = {"prompts": (), "every": 2, "threads": 1, "accepted": 1.7e9} | more
        return Recipe.of(request, bases.find("embedded"), shots, **given)

    return made


@pytest.fixture
def laid(tmp_path: Path) -> Callable[..., JobFolder]:
    """Lay out job folders of trainings."""

    def made(recipe: Recipe, name: str = "job") -> JobFolder:
        folder = JobFolder(tmp_path / name)
        shoot(folder.photos, len(recipe.photos))
        dump(folder.job, {"kind": "train", "attempt": 1, "recipe": recipe.json()})
        return folder

    return made


def told(task: Iterator[Event]) -> list[Event]:
    """Run a task to its end, without the boundaries."""
    return [event for event in task if event.kind != "step"]


@pytest.fixture
def run() -> Callable[[Iterator[Event]], list[Event]]:
    """Run tasks to their end."""
    return told


class Yard:
    """A store with members who train, and a trainer that works on it."""

    def __init__(self, store: Store) -> None:
        self.store, self.home = store, store.home
        self.hold = store.home.path / "hold"

    async def photos(self, owner: int = ALICE, count: int = 2, name: str = "mydog") -> Dataset:
        """Hand in a dataset of drawn photos."""
        dataset = await self.store.datasets.new(owner, GUILD, name, Concept.LOOK)
        for at in range(count):
            file = BytesIO()
            Image.new("RGB", (64, 64), (owner % 256, 60 * at % 256, 90)).save(file, "PNG")
            digest = sha256(file.getvalue()).hexdigest()
            size = (64, 64, file.getvalue(), b"preview", ())
            await self.store.photos.add(dataset, Checked(digest, at << 16 | 0xFF, *size))
        return dataset

    async def train(
        self, owner: int = ALICE, *, dataset: Dataset | None = None, **more: Any
    ) -> Job:
        """Ask for a training."""
        dataset = dataset or await self.photos(owner)
        request = {
            "method": "lora", "base": "embedded", "name": dataset.name, "trigger": dataset.trigger,
            "concept": "look", "dial": "quick", "steps": 40, "rank": 2, "rate": 1e-3, "batch": 2,
            "seed": 7,
        } | more  # fmt: skip
        base = request["base"]
        return await self.ask(Kind.TRAIN, owner, request, base, dataset=dataset.id)

    async def sample(self, owner: int = BOB, prompt: str = "a cat", **more: Any) -> Job:
        """Ask for a picture."""
        base = more.pop("base", "embedded")
        request = {"base": base, "prompt": prompt, "seed": 3, "steps": 2, "count": 1}
        return await self.ask(Kind.SAMPLE, owner, request, base, **more)

    async def caption(self, dataset: Dataset, owner: int = ALICE) -> Job:
        """Ask for captions."""
        photos = [photo.id for photo in await self.store.photos.of(dataset.id, owner)]
        request = {"captioner": "embedded", "trigger": "", "photos": photos}
        return await self.ask(Kind.CAPTION, owner, request, "embedded", dataset=dataset.id)

    async def ask(
        self, kind: Kind, owner: int, request: dict[str, Any], base: str, **more: Any
    ) -> Job:
        """Put a job into the queue."""
        new = NewJob(kind, owner, GUILD, CHANNEL, request, base, **more)
        return await self.store.jobs.queue(new)

    async def became(self, job: Job, *statuses: Status) -> Job:
        """Wait until a job has one of these statuses (or has ended)."""
        async with asyncio.timeout(TIMEOUT):
            while True:
                now = await self.store.jobs.get(job.id)
                if now.status in statuses or now.status.ended:
                    assert now.status in statuses, (now.error, self.logs())
                    return now
                await asyncio.sleep(0.02)

    async def event(self, job: Job, kind: str, count: int = 1) -> Event:
        """Wait until a job has had that many events of a kind."""
        async with asyncio.timeout(TIMEOUT):
            while len(found := await self.store.events.of(job.id, kind)) < count:
                await asyncio.sleep(0.02)
        return found[-1]

    async def statuses(self, job: Job) -> list[str]:
        """List the statuses a job has had."""
        return [event.facts["status"] for event in await self.store.events.of(job.id, "status")]

    def handle(self, name: str = "cpu") -> dict[str, Any]:
        """Return what names the worker."""
        handle: dict[str, Any] = json.loads(
            (self.home.workers / name / "handle.json").read_bytes()
        )
        return handle

    def environ(self, name: str = "cpu") -> bytes:
        """Return what a worker knows of the environment."""
        return self.proc(self.handle(name)["pid"], "environ")

    def proc(self, pid: int, what: str) -> bytes:
        """Return what the system knows of a process."""
        return Path(f"/proc/{pid}/{what}").read_bytes()

    def state(self, name: str = "cpu") -> dict[str, Any]:
        """Return what the worker says of itself."""
        path = self.home.workers / name / "state.json"
        return json.loads(path.read_bytes()) if path.exists() else {}

    def result(self, job: Job) -> bytes:
        """Return the file a training made."""
        return (self.home.run(job.id).result / f"{job.request['name']}.safetensors").read_bytes()

    def logs(self) -> str:
        """Return what the workers said."""
        return "".join(path.read_text() for path in self.home.workers.glob("*/log.txt"))[-3000:]

    @contextmanager
    def process(self, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a trainer as a process."""
        known = os.environ | {"SAFELIGHT_HOME": str(self.home.path)}
        log = self.home.workers / "trainer.log"
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
    async def trainer(self, **known: Any) -> AsyncIterator[Trainer]:
        """Run a trainer with twins for workers, here."""
        backend = LocalBackend(self.home, (sys.executable, str(TWIN)))
        chosen = settings.read(home=self.home.path, device="cpu", **known)
        trainer, stop = Trainer(self.store, chosen, backend), asyncio.Event()
        running = asyncio.create_task(trainer.run(stop))
        try:
            yield trainer
        finally:
            stop.set()
            await running

    def end(self) -> None:
        """End the workers that a test left."""
        for handle in self.home.workers.glob("*/handle.json"):
            LocalBackend(self.home).stop(json.loads(handle.read_bytes()))


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncIterator[Yard]:
    """Open a store with a trainer's tools."""
    async with await Store.open(Home(tmp_path / "home")) as store:
        yard = Yard(store)
        try:
            yield yard
        finally:
            yard.end()
