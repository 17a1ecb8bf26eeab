"""The chaos harness tells harm from none: each kind of harm is done by hand, and found."""

from __future__ import annotations

import hashlib
import random
import time

import pytest

from benchmarks.chaos.discord_twin import CHANNEL, DiscordTwin, Sent
from benchmarks.chaos.load import MEMBERS, Load
from benchmarks.chaos.verdict import Inspector
from storage.events import Done, LogEntry, PhotoCaptioned, PreviewsDrawn
from storage.folders import Home, write_whole
from storage.records import Concept, Status
from storage.store import Store
from storage.tables.posts import make_marker

OWNER, OTHER = MEMBERS[:2]
WEIGHTS = {OWNER: b"the owner's", OTHER: b"the other's"}


class Served:
    """A member whose training is done and was posted without harm."""

    def __init__(self, store):
        self.store, self.twin = store, DiscordTwin()

    async def train(self, weights=WEIGHTS[OWNER]):
        """Do a training whose file holds these bytes."""
        load = Load(self.store, random.Random(1))
        await load.add_members()
        queued = await load.queue_training(OWNER)
        self.job = await self.store.jobs.claim("cpu", [queued.kind])
        self.folder = self.store.home.job_folder(self.job.folder)
        file = self.folder.result / "pet.safetensors"
        write_whole(file, (2).to_bytes(8, "little") + b"{}" + weights)
        self.style = await self.store.styles.add(
            self.job, file, method="lora", family="sd1", trigger="x", concept=Concept.SUBJECT
        )
        previews = PreviewsDrawn(0, ("step-000000-0.png",), ("a",), (1,))
        await self.add_events(previews, Done(1))
        await self.store.jobs.end_run(self.job.id, self.job.fence, Status.DONE)

    async def add_events(self, *events):
        """Append events to the job."""
        entries = [LogEntry(event, time.time()) for event in events]
        await self.store.events.append(self.job.id, entries)

    async def post_all(self):
        """Post what the bot posts of a training."""
        await self.post_card()
        await self.post(f"report:add:{self.job.id}", "step-000000-0.png")
        await self.post(f"style:delete:{self.style.id}", "pet.safetensors")

    async def post_card(self):
        """Post the card of a job that has ended, which has no buttons any more."""
        marker = make_marker(f"card {self.job.id} {self.job.created}")
        body = {"components": [{"type": 17, "id": marker, "components": []}]}
        await self.twin.post(CHANNEL, Sent(body))

    async def post(self, custom_id, *names):
        """Post a card with a button and files."""
        body = {"components": [{"type": 2, "custom_id": custom_id}]}
        count = len(names)
        await self.twin.post(CHANNEL, Sent(body, names, ("",) * count, (1,) * count))

    async def find_harm(self):
        """Return the kinds of harm that are found."""
        expected = {
            f"style {member}": hashlib.sha256(weights).hexdigest()
            for member, weights in WEIGHTS.items()
        }
        verdict = await Inspector(self.store, self.twin, expected).inspect([self.job.id])
        return {kind for kind, found in vars(verdict).items() if found}


@pytest.fixture
async def store(tmp_path):
    """An empty store."""
    async with await Store.open(Home(tmp_path / "home")) as opened:
        yield opened


@pytest.fixture
async def served(store):
    """A training that was done and posted without harm."""
    one = Served(store)
    await one.train()
    await one.post_all()
    return one


async def test_no_harm(served):
    """A training with its own bytes, posted once, has no harm."""
    assert await served.find_harm() == set()


async def test_lost_caption(store):
    """A photo that a caption job has left out is lost."""
    load = Load(store, random.Random(1))
    await load.add_members()
    queued = await load.queue_captions(OWNER)
    job = await store.jobs.claim("cpu", [queued.kind])
    told = [PhotoCaptioned(photo, "x.png", "a pet") for photo in job.request["photos"][1:]]
    await store.events.append(job.id, [LogEntry(event, time.time()) for event in told])
    await store.jobs.end_run(job.id, job.fence, Status.DONE)

    verdict = await Inspector(store, DiscordTwin(), {}).inspect([job.id])

    assert verdict.lines() == [
        f"lost: job {job.id} (caption): the caption of photo {job.request['photos'][0]}"
    ]


@pytest.mark.parametrize("number", [0, 1, 2])
async def test_lost_and_doubled(served, number):
    """A card, previews or a result that is missing is lost; a second one is doubled."""
    gone = served.twin.posts.pop(number)
    assert await served.find_harm() == {"lost"}
    served.twin.posts += [gone, gone]
    assert await served.find_harm() == {"doubled"}


async def test_lost_style(served):
    """A style without its file is lost."""
    served.store.home.style_file(served.style.folder, served.style.name).unlink()
    assert await served.find_harm() == {"lost"}


async def test_foreign(store):
    """Bytes of another member, or of nobody, are foreign."""
    served = Served(store)
    await served.train(WEIGHTS[OTHER])
    await served.post_all()
    assert await served.find_harm() == {"foreign"}


async def test_two_endings(served):
    """A job that ended twice is doubled."""
    await served.add_events(Done(1))
    assert await served.find_harm() == {"doubled"}


@pytest.mark.parametrize("ended", [True, False])
async def test_failed_and_stuck(store, ended):
    """A job that failed has failed; one that has not ended is stuck."""
    load = Load(store, random.Random(1))
    await load.add_members()
    queued = await load.queue_training(OWNER)
    job = await store.jobs.claim("cpu", [queued.kind])
    if ended:
        await store.jobs.end_run(job.id, job.fence, Status.FAILED, {"code": "bug"})
    verdict = await Inspector(store, DiscordTwin(), {}).inspect([job.id])
    assert [bool(verdict.failed), bool(verdict.stuck)] == [ended, not ended]


@pytest.mark.parametrize(
    "name", ["runs/9-abc/job.json", "styles/9-abc/x", "photos/.a.png.7.part", "quarantine/1/9/x"]
)
async def test_orphans(served, name):
    """A folder without a row, half a file, and what is in the quarantine are orphans."""
    write_whole(served.store.home.path / name, b"")
    assert await served.find_harm() == {"orphans"}


async def test_nonce():
    """The harness's Discord enforces a nonce only where asked to, as Discord does."""
    twin = DiscordTwin()
    first, again, other = [
        await twin.post(CHANNEL, Sent({"nonce": "a", "enforce_nonce": enforced}))
        for enforced in (True, True, False)
    ]
    assert first["id"] == again["id"] != other["id"]
    assert twin.repeated_nonces == 1
