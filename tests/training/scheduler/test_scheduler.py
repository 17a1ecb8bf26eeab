"""The trainer on a real queue, with real worker processes whose tasks are twins."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from storage.records import Status, Wish

ALICE, BOB = 1001, 1002
TWIN = str(Path(__file__).parents[2] / "fakes" / "worker.py")


@pytest.fixture
def held(yard):
    """Hold trainings in the middle until the test lets them go."""
    yard.hold.touch()
    return yard.hold.unlink


async def test_a_training_becomes_a_style(yard):
    """A queued training ends as done, with its events in order, a style, a pace and no copies."""
    async with yard.trainer():
        job = await yard.train()
        done = await yard.became(job, Status.DONE)

    kinds = [event.kind for event in await yard.store.events.of(job.id)]
    [style] = await yard.store.styles.of(ALICE)
    [(gait, pace)] = (await yard.store.paces.all()).items()
    folder = yard.home.run(job.id)

    assert kinds[:3] == ["status", "status", "started"]
    assert kinds[-2:] == ["done", "status"]
    assert kinds.count("progress") == 40
    assert (style.job, style.name, style.family, done.style) == (job.id, "mydog", "sd1", style.id)
    assert yard.store.styles.file(style).read_bytes() == yard.result(job)
    assert (gait.device, gait.base, gait.method, gait.batch) == ("twin", "embedded", "lora", 2)
    assert 40 * pace.step + pace.around == pytest.approx(done.ended - done.started, abs=1)
    assert not folder.photos.exists()
    assert not folder.checkpoints.exists()


async def test_the_catalog_is_published(yard):
    """What the worker can do is in the store before a job is asked for."""
    async with yard.trainer():
        while not (await yard.store.catalog.read()).bases:
            await asyncio.sleep(0.02)

    assert (await yard.store.catalog.read()).device == "twin"


async def test_captions_reach_the_photos(yard):
    """A caption job describes photos, but never over what the member has written."""
    dataset = await yard.photos(count=3)
    first, *_ = await yard.store.photos.of(dataset.id, ALICE)
    await yard.store.photos.caption(first.id, ALICE, "my own words")

    async with yard.trainer():
        await yard.became(await yard.caption(dataset), Status.DONE)

    captions = [photo.caption for photo in await yard.store.photos.of(dataset.id, ALICE)]
    assert captions == ["my own words", "photo 2", "photo 3"]


async def test_a_sample_wears_the_style(yard):
    """A sample job gets the style's file, and its copy goes when the job ends."""
    async with yard.trainer():
        trained = await yard.became(await yard.train(), Status.DONE)
        job = await yard.sample(ALICE, style=trained.style)
        await yard.became(job, Status.DONE)

    folder = yard.home.run(job.id)
    assert (folder.result / "0.png").read_bytes() == yard.result(trained)
    assert not (folder.path / "style.safetensors").exists()


async def test_samples_are_served_in_the_middle(yard, held):
    """Short jobs on a base that fits are done during a training; one that does not fit waits."""
    async with yard.trainer():
        job = await yard.train()
        await yard.event(job, "progress")
        other = await yard.sample(base="large")
        served = await yard.sample()
        await yard.became(served, Status.DONE)
        running = await yard.store.jobs.get(job.id)
        waiting = await yard.store.jobs.get(other.id)
        held()
        await yard.became(job, Status.DONE)
        await yard.became(other, Status.DONE)

    [note] = await yard.store.events.of(job.id, "served")
    assert running.status is Status.RUNNING
    assert waiting.status is Status.QUEUED
    assert note.facts["job"] == served.id


async def test_one_training_at_a_time(yard, held):
    """A worker trains one style after the other."""
    async with yard.trainer():
        first, second = await yard.train(ALICE), await yard.train(BOB)
        await yard.event(first, "progress", 25)
        assert (await yard.store.jobs.get(second.id)).status is Status.QUEUED
        held()
        await yard.became(second, Status.DONE)


async def test_a_killed_worker_loses_nothing(yard, held):
    """SIGKILL in the middle, after two samples: the job goes on from its checkpoint."""
    async with yard.trainer():
        job = await yard.train()
        await yard.event(job, "progress", 25)
        for _ in range(2):
            await yard.became(await yard.sample(), Status.DONE)
        os.kill(yard.handle()["pid"], signal.SIGKILL)
        held()
        done = await yard.became(job, Status.DONE)

    assert len(await yard.store.events.of(job.id, "served")) == 2
    assert await yard.statuses(job) == ["queued", "running", "queued", "running", "done"]
    assert done.attempts == 2
    assert (await yard.event(job, "started", 2)).facts["step"] == 20


async def test_resumed_is_uninterrupted(yard, held):
    """A killed, a paused and an undisturbed training of one recipe end in the same bytes."""
    dataset, results = await yard.photos(), []
    async with yard.trainer():
        for disturbance in ("none", "kill", "pause"):
            job = await yard.train(dataset=dataset)
            await yard.event(job, "progress", 25)
            if disturbance == "kill":
                os.kill(yard.handle()["pid"], signal.SIGKILL)
            if disturbance == "pause":
                await yard.store.jobs.wish(job.id, Wish.PAUSE, ALICE)
                await yard.became(job, Status.PAUSED)
                assert yard.state()["held"] == []
                await yard.store.jobs.resume(job.id, ALICE)
            held()
            await yard.became(job, Status.DONE)
            results.append(yard.result(job))
            yard.hold.touch()

    assert results[1:] == results[:1] * 2


async def test_three_attempts(yard):
    """A job that kills its worker is tried three times and then fails with the reason."""
    async with yard.trainer():
        job = await yard.sample(prompt="dies")
        failed = await yard.became(job, Status.FAILED)

    assert failed.error["code"] == "worker_died"
    assert (await yard.statuses(job)).count("running") == 3


async def test_a_killed_trainer_loses_nothing(yard, held):
    """SIGKILL of the trainer: the worker goes on, and the next trainer settles the job once."""
    with yard.process(TWIN, "trainer") as trainer:
        job = await yard.train()
        await yard.event(job, "progress", 5)
        trainer.kill()
    before = yard.handle()
    events = await yard.store.events.of(job.id)
    held()

    with yard.process(TWIN, "trainer"):
        await yard.became(job, Status.DONE)

    steps = [event.facts["step"] for event in await yard.store.events.of(job.id, "progress")]
    assert len(events) < len(await yard.store.events.of(job.id))
    assert steps == list(range(1, 41))
    assert yard.handle() == before
    assert await yard.statuses(job) == ["queued", "running", "done"]
    assert len(await yard.store.styles.of(ALICE)) == 1


async def test_ended_while_nobody_watched(yard, held):
    """A job that ends, with its worker, while no trainer is there is settled by the next one."""
    with yard.process(TWIN, "trainer") as trainer:
        job = await yard.train()
        await yard.event(job, "progress", 5)
        trainer.kill()
    held()
    while b'"done"' not in yard.home.run(job.id).events.read_bytes():
        await asyncio.sleep(0.02)
    os.kill(yard.handle()["pid"], signal.SIGKILL)

    async with yard.trainer():
        done = await yard.became(job, Status.DONE)

    steps = [event.facts["step"] for event in await yard.store.events.of(job.id, "progress")]
    assert done.attempts == 1
    assert steps == list(range(1, 41))
    assert await yard.statuses(job) == ["queued", "running", "done"]


async def test_a_trainer_that_stops_puts_jobs_down(yard, held):
    """SIGTERM: the worker writes a checkpoint and ends, and the attempt does not count."""
    with yard.process(TWIN, "trainer") as trainer:
        job = await yard.train()
        await yard.event(job, "progress", 5)
        trainer.terminate()
        assert await asyncio.to_thread(trainer.wait) == 0
    left = await yard.store.jobs.get(job.id)
    gone = yard.handle()
    held()

    async with yard.trainer():
        await yard.became(job, Status.DONE)

    steps = [event.facts["step"] for event in await yard.store.events.of(job.id, "progress")]
    assert (left.status, left.attempts) == (Status.QUEUED, 0)
    assert yard.handle() != gone
    assert steps == list(range(1, 41))


@pytest.mark.usefixtures("held")
async def test_wishes(yard):
    """Cancelled is cancelled; finished now is done, early, with a style."""
    async with yard.trainer():
        first = await yard.train(ALICE)
        await yard.event(first, "progress", 25)
        await yard.store.jobs.wish(first.id, Wish.CANCEL, ALICE)
        await yard.became(first, Status.CANCELLED)
        second = await yard.train(BOB)
        await yard.event(second, "progress", 25)
        await yard.store.jobs.wish(second.id, Wish.FINISH, BOB)
        await yard.became(second, Status.DONE)

    assert (await yard.event(second, "done")).facts["steps"] == 25
    assert await yard.store.styles.of(ALICE) == []
    assert len(await yard.store.styles.of(BOB)) == 1


@pytest.mark.parametrize(
    ("prompt", "code"),
    [("foreseen", "style_broken"), ("bug", "bug"), ("silent", "bug"), ("full", "disk_full")],
)
async def test_a_job_that_fails(yard, prompt, code):
    """A failure names its code, and the worker lives on."""
    async with yard.trainer():
        failed = await yard.became(await yard.sample(prompt=prompt), Status.FAILED)
        await yard.became(await yard.sample(), Status.DONE)

    assert failed.error["code"] == code
    assert ("reference" in failed.error) is (code == "bug")
    if code == "bug":
        assert failed.error["reference"] in yard.logs()


async def test_jobs_that_cannot_be_laid_out(yard):
    """No photos, an unknown base, absurd steps, a style that is gone: each fails with its code."""
    empty = await yard.store.datasets.new(ALICE, 77, "empty", "look")
    dataset = await yard.photos(count=1, name="one")
    async with yard.trainer():
        jobs = [
            await yard.train(dataset=empty),
            await yard.train(dataset=dataset, base="nobody's"),
            await yard.train(dataset=dataset, steps=-1),
            await yard.train(dataset=dataset, steps=10**9),
        ]
        codes = [(await yard.became(job, Status.FAILED)).error["code"] for job in jobs]

    assert codes == ["no_photos", "base_unknown", "steps_range", "steps_range"]


async def test_a_full_disk_starts_nothing(yard):
    """Below the floor no job is started, and the jobs that wait are told why, once."""
    async with yard.trainer(disk=10**9):
        job = await yard.sample()
        note = await yard.event(job, "note")
        another = await yard.sample()
        await yard.event(another, "note")
        notes = await yard.store.events.of(job.id, "note")
    waiting = await yard.store.jobs.get(job.id)

    async with yard.trainer():
        await yard.became(job, Status.DONE)

    assert note.facts["code"] == "disk_low"
    assert len(notes) == 1
    assert waiting.status is Status.QUEUED


@pytest.mark.usefixtures("held")
async def test_a_member_who_leaves(yard):
    """Erasing a member ends the running job and removes its folder."""
    async with yard.trainer():
        job = await yard.train()
        await yard.event(job, "progress")
        await yard.store.members.erase(ALICE, keep_styles=False)
        async with asyncio.timeout(60):
            while yard.home.run(job.id).path.exists() or await yard.store.jobs.open():
                await asyncio.sleep(0.02)

    assert await yard.store.jobs.of(ALICE) == []


async def test_a_worker_that_hangs_is_replaced(yard, held):
    """A stopped heart counts as a death, though the process is there."""
    async with yard.trainer() as trainer:
        trainer.stations[0].silence = 4.0
        job = await yard.train()
        await yard.event(job, "progress", 25)
        hung = yard.handle()
        os.kill(hung["pid"], signal.SIGSTOP)
        held()
        await yard.became(job, Status.DONE)

    assert yard.handle() != hung


async def test_the_worker_knows_no_secret(yard, monkeypatch):
    """The bot's token is not in a worker's environment."""
    monkeypatch.setenv("DISCORD_TOKEN", "canary-canary")
    async with yard.trainer():
        await yard.became(await yard.sample(), Status.DONE)
        environ = yard.environ()

    assert b"SAFELIGHT_HOME" in environ
    assert b"canary" not in environ


async def test_a_whole_model_is_kept_once_and_not_for_ever(yard):
    """Its file lies with its style alone, and goes with age; the style says so."""
    async with yard.trainer() as trainer:
        asked = await yard.train(method="finetune", steps=3, rank=0)
        job = await yard.became(asked, Status.DONE)
        (style,) = await yard.store.styles.of(job.owner)
        file = yard.store.styles.file(style)
        kept = file.is_file()
        trainer.settings.days = 0
        await trainer.expire()
        (old,) = await yard.store.styles.of(job.owner)

        again = yard.home.run(job.id).result / "mydog.safetensors"
        again.write_bytes(b"as a trainer leaves it that is killed")
        await trainer.adopt()

    assert style.whole
    assert kept
    assert list(yard.home.run(job.id).result.glob("*.safetensors")) == []
    assert not file.exists()
    assert old.removed
