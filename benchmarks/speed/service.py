"""The real scheduler and its worker as child processes, with a member, photos and jobs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bot.demo.mascot import picture_files
from bot.demo.stage import run_scheduler
from storage.events import Event
from storage.folders import Home
from storage.photos.sandbox import Darkroom
from storage.planning.plan import plan_training
from storage.records import Catalog, Concept, Dataset, Dial, Job, Kind, NewJob
from storage.requests import SampleRequest, TrainRequest
from storage.store import Store

BASE = "embedded"
POLL_SECONDS = 0.05  #: seconds between two looks at the database
TIMEOUT_SECONDS = 600.0  #: seconds a job may take


@dataclass(frozen=True, slots=True)
class Service:
    """A running scheduler, its store, and the member who requests jobs."""

    store: Store
    catalog: Catalog
    member: int = 1
    guild: int = 2
    channel: int = 3

    async def add_dataset(self, name: str, photos: Sequence[Path], owner: int = 0) -> Dataset:
        """Create a dataset of a member."""
        member_id = owner or self.member
        dataset = await self.store.datasets.create(member_id, self.guild, name, Concept.SUBJECT)
        async with Darkroom() as darkroom:
            for photo in photos:
                await self.store.photos.add(dataset, await darkroom.check(photo.read_bytes()))
        return dataset

    async def queue_training(self, dataset: Dataset, seed: int, steps: int = 0) -> Job:
        """Queue a LoRA with the dial's settings, or with so many steps."""
        count = len(await self.store.photos.list_for(dataset.id, dataset.owner))
        planned = plan_training(
            self.catalog,
            method="lora",
            base=BASE,
            dial=Dial.BALANCED,
            concept=dataset.concept,
            photos=count,
        )
        request = TrainRequest(
            "lora", BASE, dataset.name, dataset.trigger, dataset.concept, Dial.BALANCED,
            steps or planned.steps, planned.rank, planned.learning_rate, planned.batch_size, seed,
        )  # fmt: skip
        return await self.queue_job(Kind.TRAIN, asdict(request), dataset=dataset.id)

    async def queue_sample(self, seed: int, style: int | None = None) -> Job:
        """Queue a sample of one picture."""
        request = SampleRequest(BASE, "a glim emoji, on a white background", seed=seed)
        return await self.queue_job(Kind.SAMPLE, asdict(request), style=style)

    async def queue_job(self, kind: Kind, request: dict[str, object], **more: int | None) -> Job:
        """Queue a job, as the bot does."""
        new = NewJob(
            kind,
            self.member,
            self.guild,
            self.channel,
            request,
            BASE,
            **more,  # type: ignore[arg-type]
        )
        return await self.store.jobs.queue(new)

    async def wait_for_event(self, job: Job, kind: type[Event]) -> None:
        """Wait until a job has an event of a kind."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while not await self.store.events.list_kind(job.id, kind):
                await asyncio.sleep(POLL_SECONDS)

    async def wait_until_ended(self, job: Job) -> Job:
        """Return a job once it has ended; raise RuntimeError if it failed."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while not (found := await self.store.jobs.get(job.id)).status.ended:
                await asyncio.sleep(POLL_SECONDS)
        if found.error or found.ended is None:
            raise RuntimeError(f"job {job.id} is {found.status}: {found.error}")
        return found


@asynccontextmanager
async def running_service(home: Path) -> AsyncIterator[Service]:
    """Run the scheduler on a folder; its worker has published the catalog."""
    async with run_scheduler(home), await Store.open(Home(home)) as store:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while not (catalog := await store.catalog.read()).bases:
                await asyncio.sleep(POLL_SECONDS)
        yield Service(store, catalog)


def list_mascot_photos() -> list[Path]:
    """Return the paths of ten photos."""
    return picture_files()
