"""The scheduler on a real queue, with real worker processes that train nothing."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from storage.events import Done, JobServed, Note, Progress
from storage.folders import write_json
from storage.records import Catalog, JobCommand, Status
from tests.fakes.jobqueue import ALICE, BOB, SCHEDULER
from tests.fakes.worker import FEATURES, LARGE_BYTES, SMALL
from training.scheduler.layout import write_job_folder

pytestmark = pytest.mark.slow(1)


async def test_a_training_becomes_a_style(queue):
    """A queued training ends as done, with events in order, a style, its timing and no copies."""
    async with queue.running_scheduler():
        job = await queue.add_training()
        done = await queue.wait_for(job, Status.DONE)

    kinds = [entry.event.kind for entry in await queue.store.events.list_for_job(job.id)]
    [style] = await queue.store.styles.list_for(ALICE)
    [(key, timing)] = (await queue.store.durations.read_all()).items()
    folder = queue.home.job_folder(job.folder)

    assert kinds[:3] == ["status", "status", "started"]
    assert kinds[-2:] == ["done", "status"]
    assert kinds.count("progress") == 40
    assert (style.job, style.name, style.family, done.style) == (job.id, "mydog", "sd1", style.id)
    assert queue.store.styles.file(style).read_bytes() == queue.read_result(job)
    assert (key.device, key.base, key.method, key.batch_size) == ("fake", "embedded", "lora", 2)
    assert 40 * timing.step + timing.overhead == pytest.approx(done.ended - done.started, abs=1)
    assert not folder.photos.exists()
    assert not folder.checkpoints.exists()


async def test_what_was_disturbed_is_no_measure(queue, hold_trainings):
    """A training during which the machine was perhaps frozen is in no forecast."""
    async with queue.running_scheduler() as scheduler:
        job = await queue.add_training()
        await queue.wait_for_event(job, Progress)
        scheduler.workers[0].claims[0].disturbed = True
        hold_trainings()
        await queue.wait_for(job, Status.DONE)

    assert await queue.store.durations.read_all() == {}


async def test_the_catalog_is_published(queue):
    """The worker's catalog is in the store before any job."""
    async with queue.running_scheduler():
        while not (await queue.store.catalog.read()).bases:
            await asyncio.sleep(0.02)

    assert (await queue.store.catalog.read()).device == "fake"


async def test_captions_reach_the_photos(queue):
    """A caption job describes photos, but never overwrites a member's captions.

    What the network saw is stored with each photo, and stays in no file of the job.
    """
    dataset = await queue.add_dataset(count=3)
    first, *_ = await queue.store.photos.list_for(dataset.id, ALICE)
    await queue.store.photos.set_caption(first.id, ALICE, "my own words")

    async with queue.running_scheduler():
        job = await queue.wait_for(await queue.add_captions(dataset), Status.DONE)

    photos = await queue.store.photos.list_for(dataset.id, ALICE)
    assert {photo.features for photo in photos} == {FEATURES}
    assert not queue.home.job_folder(job.folder).features_file.exists()
    assert [photo.caption for photo in photos] == ["my own words", "photo 2", "photo 3"]


async def test_a_sample_wears_the_style(queue):
    """A sample job gets a copy of the style's file, removed when the job ends."""
    async with queue.running_scheduler():
        trained = await queue.wait_for(await queue.add_training(), Status.DONE)
        job = await queue.add_sample(ALICE, style=trained.style)
        await queue.wait_for(job, Status.DONE)

    folder = queue.home.job_folder(job.folder)
    assert (folder.result / "0.png").read_bytes() == queue.read_result(trained)
    assert not (folder.path / "style.safetensors").exists()


async def test_samples_are_served_in_the_middle(queue, hold_trainings):
    """Short jobs on a base that fits run during a training; others wait."""
    async with queue.running_scheduler():
        job = await queue.add_training()
        await queue.wait_for_event(job, Progress)
        other = await queue.add_sample(base="large")
        served = await queue.add_sample()
        await queue.wait_for(served, Status.DONE)
        running = await queue.store.jobs.get(job.id)
        waiting = await queue.store.jobs.get(other.id)
        hold_trainings()
        await queue.wait_for(job, Status.DONE)
        await queue.wait_for(other, Status.DONE)

    [note] = await queue.store.events.list_kind(job.id, JobServed)
    assert running.status is Status.RUNNING
    assert waiting.status is Status.QUEUED
    assert note.event.job == served.id


async def test_one_training_at_a_time(queue, hold_trainings):
    """A worker trains one style after the other."""
    async with queue.running_scheduler():
        first, second = await queue.add_training(ALICE), await queue.add_training(BOB)
        await queue.wait_for_event(first, Progress, 25)
        assert (await queue.store.jobs.get(second.id)).status is Status.QUEUED
        hold_trainings()
        await queue.wait_for(second, Status.DONE)


async def test_two_trainings_on_a_gpu_that_holds_both(queue, hold_trainings):
    """Where a GPU has two workers, a training begins beside another if the estimates of both fit.

    One that does not waits until the other has ended.
    """
    async with queue.running_scheduler(device="cuda:0", workers_per_gpu=2):
        first = await queue.add_training(ALICE)
        await queue.wait_for_event(first, Progress, 25)
        large = await queue.add_training(BOB, base="large")
        beside = await queue.add_training(ALICE, dataset=await queue.add_dataset(name="cat"))
        await queue.wait_for_event(beside, Progress, 25)
        assert (await queue.store.jobs.get(large.id)).status is Status.QUEUED
        hold_trainings()
        await queue.wait_for(large, Status.DONE)


async def test_two_workers_on_a_device(queue, hold_trainings):
    """Where a device has two workers, two members train side by side, and both get their file."""
    async with queue.running_scheduler(device="cpu,cpu") as scheduler:
        jobs = [await queue.add_training(owner, seed=owner) for owner in (ALICE, BOB)]
        for job in jobs:
            await queue.wait_for_event(job, Progress, 25)  # where both are held
        hold_trainings()
        ended = [await queue.wait_for(job, Status.DONE) for job in jobs]

    assert {job.worker for job in ended} == {worker.name for worker in scheduler.workers}
    assert len({queue.read_result(job) for job in ended}) == 2
    assert [job.fence for job in ended] == [1, 1]


async def test_two_workers_that_differ(queue, hold_trainings):
    """A job runs where its base fits, and the bot reads what all workers can do together."""
    async with queue.running_scheduler(device="mps,cuda:0") as scheduler:
        while len((await queue.store.catalog.read()).places) < 2:
            await asyncio.sleep(0.02)
        catalog = await queue.store.catalog.read()
        large = await queue.add_training(ALICE, base="large")
        await queue.wait_for_event(large, Progress, 25)
        other = await queue.add_training(BOB, base="large")
        small = await queue.add_training(BOB, dataset=await queue.add_dataset(BOB, name="cat"))
        await queue.wait_for_event(small, Progress, 25)
        jobs = [await queue.store.jobs.get(job.id) for job in (large, other, small)]
        hold_trainings()
        ended = [await queue.wait_for(job, Status.DONE) for job in jobs]

    little, big = (worker.name for worker in scheduler.workers)
    assert little.endswith("/mps")
    assert [place.worker for place in catalog.places] == [big, little]
    assert [job.status for job in jobs] == [Status.RUNNING, Status.QUEUED, Status.RUNNING]
    assert [job.worker for job in ended] == [big, big, little]


async def test_a_scheduler_that_stops_puts_jobs_down(queue, hold_trainings):
    """On SIGTERM the worker writes a checkpoint and exits; the attempt does not count."""
    with queue.running_process(*SCHEDULER) as scheduler:
        job = await queue.add_training()
        await queue.wait_for_event(job, Progress, 5)
        scheduler.terminate()
        assert await asyncio.to_thread(scheduler.wait) == 0
    left = await queue.store.jobs.get(job.id)
    gone = queue.read_handle()
    hold_trainings()

    async with queue.running_scheduler():
        await queue.wait_for(job, Status.DONE)

    steps = [entry.event.step for entry in await queue.store.events.list_kind(job.id, Progress)]
    assert (left.status, left.attempts) == (Status.QUEUED, 0)
    assert queue.read_handle() != gone
    assert steps == list(range(1, 41))


@pytest.mark.usefixtures("hold_trainings")
async def test_wishes(queue):
    """A cancelled job ends as cancelled; one finished early ends as done, with a style."""
    async with queue.running_scheduler():
        first = await queue.add_training(ALICE)
        await queue.wait_for_event(first, Progress, 25)
        await queue.store.jobs.send_command(first.id, JobCommand.CANCEL, ALICE)
        await queue.wait_for(first, Status.CANCELLED)
        second = await queue.add_training(BOB)
        await queue.wait_for_event(second, Progress, 25)
        await queue.store.jobs.send_command(second.id, JobCommand.FINISH, BOB)
        await queue.wait_for(second, Status.DONE)

    assert (await queue.wait_for_event(second, Done)).steps == 25
    assert await queue.store.styles.list_for(ALICE) == []
    assert len(await queue.store.styles.list_for(BOB)) == 1


@pytest.mark.parametrize(
    ("prompt", "code"), [("foreseen", "style_broken"), ("bug", "bug"), ("silent", "bug")]
)
async def test_a_job_that_fails(queue, prompt, code):
    """A failure has its code, and the worker lives on."""
    async with queue.running_scheduler():
        failed = await queue.wait_for(await queue.add_sample(prompt=prompt), Status.FAILED)
        await queue.wait_for(await queue.add_sample(), Status.DONE)

    assert failed.error["code"] == code
    assert ("reference" in failed.error) is (code == "bug")
    if code == "bug":
        assert failed.error["reference"] in queue.read_logs()


async def test_jobs_that_cannot_be_laid_out(queue):
    """No photos, an unknown base, absurd steps, a missing style: each fails with its code."""
    empty = await queue.store.datasets.create(ALICE, 77, "empty", "look")
    dataset = await queue.add_dataset(count=1, name="one")
    async with queue.running_scheduler():
        jobs = [
            await queue.add_training(dataset=empty),
            await queue.add_training(dataset=dataset, base="nobody's"),
            await queue.add_training(dataset=dataset, steps=-1),
            await queue.add_training(dataset=dataset, steps=10**9),
        ]
        codes = [(await queue.wait_for(job, Status.FAILED)).error["code"] for job in jobs]

    assert codes == ["no_photos", "base_unknown", "out_of_range", "out_of_range"]


async def test_a_full_disk_starts_nothing(queue):
    """Below the free-space limit no job starts, and waiting jobs get one notice."""
    async with queue.running_scheduler(min_free_mib=10**9):
        job = await queue.add_sample()
        note = await queue.wait_for_event(job, Note)
        another = await queue.add_sample()
        await queue.wait_for_event(another, Note)
        notes = await queue.store.events.list_kind(job.id, Note)
    waiting = await queue.store.jobs.get(job.id)

    async with queue.running_scheduler():
        await queue.wait_for(job, Status.DONE)

    assert note.code == "disk_low"
    assert len(notes) == 1
    assert waiting.status is Status.QUEUED


async def test_a_job_that_finds_the_disk_full(small_queue, small_disk):
    """A job without room leaves nothing half-written, and waits until there is more."""
    queue = small_queue
    small_disk.fill(left=LARGE_BYTES // 2)
    async with queue.running_scheduler(min_free_mib=0):
        job = await queue.add_sample(prompt="large")
        note = await queue.wait_for_event(job, Note)
        waiting = await queue.store.jobs.get(job.id)
        left = [each.name for each in queue.home.job_folder(job.folder).path.rglob("*large*")]
        small_disk.free()
        await queue.wait_for(job, Status.DONE)
        notes = await queue.store.events.list_kind(job.id, Note)

    assert (waiting.status, waiting.attempts, waiting.interruptions) == (Status.QUEUED, 0, 0)
    assert (note.code, note.facts["free"] < note.facts["needed"]) == ("disk_low", True)
    assert (left, len(notes)) == ([], 1)


async def test_a_disk_without_any_room(small_queue, small_disk, caplog):
    """A training on a full disk waits, says so once, and then makes what it would have made."""
    queue, dataset = small_queue, await small_queue.add_dataset()
    undisturbed = await queue.add_training(dataset=dataset)
    async with queue.running_scheduler(min_free_mib=0):
        await queue.wait_for(undisturbed, Status.DONE)
        queue.hold.touch()
        job = await queue.add_training(dataset=dataset)
        await queue.wait_for_event(job, Progress, 25)
        small_disk.fill()
        queue.hold.unlink()
        await asyncio.sleep(0.3)  # it comes to its end, if it can
        small_disk.free()
        done = await queue.wait_for(job, Status.DONE)

    assert (done.fence, done.attempts, done.interruptions) == (2, 1, 0)
    assert len([each for each in caplog.messages if "disk is full" in each]) <= 2
    assert queue.read_result(job) == queue.read_result(undisturbed)


@pytest.mark.usefixtures("hold_trainings")
async def test_a_member_who_leaves(queue):
    """Erasing a member ends the running job and removes its folder."""
    async with queue.running_scheduler():
        job = await queue.add_training()
        await queue.wait_for_event(job, Progress)
        await queue.store.members.erase(ALICE, keep_styles=False)
        async with asyncio.timeout(60):
            folder = queue.home.job_folder(job.folder).path
            while folder.exists() or await queue.store.jobs.list_open():
                await asyncio.sleep(0.02)

    assert await queue.store.jobs.list_for(ALICE) == []


async def test_the_worker_knows_no_secret(queue, monkeypatch):
    """The bot's token is not in a worker's environment."""
    monkeypatch.setenv("DISCORD_TOKEN", "canary-canary")
    async with queue.running_scheduler():
        await queue.wait_for(await queue.add_sample(), Status.DONE)
        environ = queue.read_environ()

    assert b"SAFELIGHT_HOME" in environ
    assert b"canary" not in environ


async def test_a_whole_model_is_kept_once_and_not_for_ever(queue):
    """A whole model lies with its style only, and is removed with age; the style says so."""
    async with queue.running_scheduler() as scheduler:
        asked = await queue.add_training(method="finetune", steps=3, rank=0)
        job = await queue.wait_for(asked, Status.DONE)
        (style,) = await queue.store.styles.list_for(job.owner)
        file = queue.store.styles.file(style)
        scheduler.settings.full_model_days = 1e-9
        known = json.loads(queue.home.careful_time_file.read_bytes())
        write_json(queue.home.careful_time_file, known | {"time": known["time"] - 30 * 86400})
        await scheduler.remove_old()  # the clock has jumped since the last look
        kept = file.is_file()
        await scheduler.remove_old_models(time.time())
        (old,) = await queue.store.styles.list_for(job.owner)

        folder = queue.home.job_folder(job.folder)
        (folder.result / "mydog.safetensors").write_bytes(b"as a killed scheduler leaves it")
        write_json(folder.request_file, {"recipe": {"name": "mydog", "rank": 0}})
        await scheduler.adopt_jobs()

    assert style.whole
    assert kept
    assert list(folder.result.glob("*.safetensors")) == []
    assert not folder.request_file.exists()
    assert not file.exists()
    assert old.removed


async def test_a_recipe_with_an_unknown_key_is_refused_by_name(queue):
    """The job fails once, naming the key; photos, dataset and worker stay."""
    dataset = await queue.add_dataset()
    job = await queue.add_training(dataset=dataset)
    await write_job_folder(queue.store, job, Catalog(bases=(SMALL,)))
    file = queue.home.job_folder(job.folder).request_file
    content = json.loads(file.read_bytes())
    content["recipe"]["momentum"] = 0.9  # of a later version, whose recipe this one resumes
    write_json(file, content)

    async with queue.running_scheduler():
        failed = await queue.wait_for(job, Status.FAILED)
        other = await queue.wait_for(await queue.add_training(dataset=dataset), Status.DONE)

    assert failed.error == {"code": "recipe_unknown", "keys": ["momentum"]}
    assert failed.attempts == 1
    assert other.style is not None
    assert len(await queue.store.photos.list_for(dataset.id, ALICE)) == 2
