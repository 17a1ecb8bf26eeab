"""Members who keep training, drawing and captioning; each of them has photos of their own."""

from __future__ import annotations

import hashlib
import io
import random
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from PIL import Image, ImageDraw

from benchmarks.chaos.discord_twin import CHANNEL, GUILD
from storage.errors import UserError
from storage.records import CheckedPhoto, Concept, Dataset, Dial, Job, Kind, NewJob, Status
from storage.requests import SampleRequest, TrainRequest
from storage.store import Store

BASE = "embedded"
MEMBERS = (9001, 9002)
PHOTOS, STEPS = 3, 55  #: of a training: checkpoints are at 25 and 50
MAX_OPEN = 6  #: jobs at a time


@dataclass
class Load:
    """What the members asked for."""

    store: Store
    draw: random.Random
    steps: int = STEPS
    datasets: dict[int, Dataset] = field(default_factory=dict)
    albums: dict[int, Dataset] = field(default_factory=dict)  #: captions would change a training
    jobs: list[int] = field(default_factory=list)

    async def add_members(self) -> None:
        """Add each member's dataset."""
        for member in MEMBERS:
            self.datasets[member] = await self.add_dataset(member, f"pet{member}")
            self.albums[member] = await self.add_dataset(member, f"album{member}")

    async def add_dataset(self, member: int, name: str) -> Dataset:
        """Add a dataset of a member, with photos of theirs."""
        dataset = await self.store.datasets.create(member, GUILD, name, Concept.SUBJECT)
        for number in range(PHOTOS):
            await self.store.photos.add(dataset, make_photo(member, number))
        return dataset

    async def queue_training(self, member: int) -> Job:
        """Queue a member's training, always the same one."""
        dataset = self.datasets[member]
        request = TrainRequest(
            "lora", BASE, dataset.name, dataset.trigger, dataset.concept, Dial.QUICK,
            self.steps, 2, 1e-3, 1, member, "dog", sample_prompts=(dataset.trigger,),
        )  # fmt: skip
        return await self._queue(Kind.TRAIN, member, asdict(request), dataset=dataset.id)

    async def queue_sample(self, member: int, style: int | None) -> Job:
        """Queue a picture, with a style or without."""
        request = SampleRequest(BASE, f"a cat {member}", seed=member, steps=4)
        return await self._queue(Kind.SAMPLE, member, asdict(request), style=style)

    async def queue_captions(self, member: int) -> Job:
        """Queue captions for a member's photos."""
        dataset = self.albums[member]
        photos = [photo.id for photo in await self.store.photos.list_for(dataset.id, member)]
        request: dict[str, object] = {"captioner": "embedded", "trigger": "", "photos": photos}
        return await self._queue(Kind.CAPTION, member, request, dataset=dataset.id)

    async def top_up(self) -> None:
        """Queue jobs until as many as MAX_OPEN are open."""
        for _ in range(MAX_OPEN - len(await self.store.jobs.list_open())):
            with suppress(UserError):  # the member has such a job in the queue already
                await self._queue_one(self.draw.choice(MEMBERS))

    async def _queue_one(self, member: int) -> None:
        match self.draw.random():
            case share if share < 0.45:
                await self.queue_training(member)
            case share if share < 0.9:
                await self.queue_sample(member, await self._find_style(member))
            case _:
                await self.queue_captions(member)

    async def _find_style(self, member: int) -> int | None:
        if self.draw.random() < 0.3:
            return None
        done = [
            job.style
            for job in await self.store.jobs.list_for(member, 50)
            if job.kind is Kind.TRAIN and job.status is Status.DONE
        ]
        return self.draw.choice(done) if done else None

    async def _queue(
        self, kind: Kind, member: int, request: dict[str, object], **more: int | None
    ) -> Job:
        new = NewJob(kind, member, GUILD, CHANNEL, request, BASE, **more)  # type: ignore[arg-type]
        job = await self.store.jobs.queue(new)
        self.jobs.append(job.id)
        return job


def make_photo(member: int, number: int) -> CheckedPhoto:
    """Draw a photo that no other member has."""
    draw = random.Random(member * 100 + number)
    image = Image.new("RGB", (64, 64), tuple(draw.randrange(256) for _ in range(3)))
    canvas = ImageDraw.Draw(image)
    for _ in range(12):
        x, y, side = draw.randrange(64), draw.randrange(64), draw.randrange(4, 30)
        colour = tuple(draw.randrange(256) for _ in range(3))
        canvas.ellipse((x, y, x + side, y + side), colour)
    file = io.BytesIO()
    image.save(file, "PNG")
    digest = hashlib.sha256(file.getvalue()).hexdigest()
    return CheckedPhoto(digest, draw.getrandbits(62), 64, 64, file.getvalue(), b"preview", ())


def weights_digest(path: Path) -> str:
    """Return the digest of a style's tensors; the header holds the time of the order."""
    with path.open("rb") as file:
        file.seek(8 + int.from_bytes(file.read(8), "little"))
        return hashlib.sha256(file.read()).hexdigest()


def pixels_digest(path: Path) -> str:
    """Return the digest of a picture's pixels."""
    with Image.open(path) as image:
        return hashlib.sha256(image.convert("RGB").tobytes()).hexdigest()
