"""Workers and schedulers that die, hang or never start, with real processes."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import sys

import pytest

from storage.events import Done, JobServed, PreviewsDrawn, Progress, Started
from storage.records import JobCommand, Kind, Status
from storage.settings import read_settings
from storage.tables.jobs import MAX_INTERRUPTIONS
from tests.fakes.jobqueue import ALICE, SCHEDULER
from training.scheduler.claim import Claim
from training.scheduler.local import LocalBackend
from training.scheduler.scheduler import Scheduler
from training.settings import TrainingSettings
from training.worker.marker import AdvanceMarker
from training.worker.process import describe_process

pytestmark = pytest.mark.slow(2)


async def test_a_clock_change_is_not_remembered(queue, hold_trainings):
    """An hour by which the clock is changed is in no timing, and takes no job away."""
    async with queue.running_scheduler() as scheduler:
        job = await queue.add_training()
        await queue.wait_for_event(job, Progress, 25)
        change = "UPDATE jobs SET started = started - 3600, lease = lease - 3600"
        await queue.store._database.execute(change)
        scheduler.swept_at = -math.inf
        while scheduler.swept_at < 0:
            await asyncio.sleep(0.02)
        hold_trainings()
        done = await queue.wait_for(job, Status.DONE)

    [timing] = (await queue.store.durations.read_all()).values()
    assert timing.overhead < 600
    assert done.fence == 1


async def test_a_killed_worker_loses_nothing(queue, hold_trainings):
    """After SIGKILL the job resumes from its checkpoint, and the next one forgives the death."""
    async with queue.running_scheduler():
        job = await queue.add_training()
        await queue.wait_for_event(job, Progress, 25)
        for _ in range(2):
            await queue.wait_for(await queue.add_sample(), Status.DONE)
        os.kill(queue.read_handle()["pid"], signal.SIGKILL)
        hold_trainings()
        done = await queue.wait_for(job, Status.DONE)

    assert len(await queue.store.events.list_kind(job.id, JobServed)) == 2
    assert await queue.list_statuses(job) == ["queued", "running", "queued", "running", "done"]
    assert (done.attempts, done.interruptions) == (1, 0)
    assert (await queue.wait_for_event(job, Started, 2)).step == 20


MOMENTS = ("step 5", "step 15", "checkpoint 20", "result", "ending")


async def test_resumed_is_uninterrupted(queue, hold_trainings):
    """A training that is killed at any moment, or paused, ends once and in the same bytes."""
    dataset, results, die = await queue.add_dataset(), {}, queue.home.path / "die"
    async with queue.running_scheduler() as scheduler:
        for disturbance in ("nothing", "pause", *MOMENTS):
            scheduler.workers[0].starts = 0  # the last death was long ago
            if disturbance in MOMENTS:
                die.write_text(disturbance)
            job = await queue.add_training(dataset=dataset)
            if disturbance == "pause":
                await queue.wait_for_event(job, Progress, 25)
                await queue.store.jobs.send_command(job.id, JobCommand.PAUSE, ALICE)
                await queue.wait_for(job, Status.PAUSED)
                assert queue.read_state()["held"] == []
                await queue.store.jobs.resume(job.id, ALICE)
            hold_trainings()
            done = await queue.wait_for(job, Status.DONE)
            results[disturbance] = queue.read_result(job)
            assert done.fence == 1 + (disturbance != "nothing")
            assert len(await queue.store.events.list_kind(job.id, Done)) == 1
            drawn = await queue.store.events.list_kind(job.id, PreviewsDrawn)
            assert [entry.event.step for entry in drawn] == [10, 20, 30, 40]
            queue.hold.touch()

    assert [name for name, made in results.items() if made != results["nothing"]] == []
    assert not die.exists()
    assert list(queue.home.path.rglob(".*.part")) == []


async def test_three_attempts(queue, hold_trainings):
    """A job that crashes its worker fails after three attempts, the training beside it not."""
    async with queue.running_scheduler():
        training = await queue.add_training()
        await queue.wait_for_event(training, Progress, 25)
        job = await queue.add_sample(prompt="dies")
        failed = await queue.wait_for(job, Status.FAILED)
        hold_trainings()
        done = await queue.wait_for(training, Status.DONE)

    assert failed.error["code"] == "worker_died"
    assert (await queue.list_statuses(job)).count("running") == 3
    assert (await queue.list_statuses(training)).count("running") > 1
    assert done.attempts == 1


async def test_a_worker_that_cannot_start_claims_nothing(queue):
    """A job waits, without an attempt, while its worker ends before it is ready."""
    broken = LocalBackend(queue.home, (sys.executable, "-c", "raise SystemExit(1)"))
    settings = read_settings(TrainingSettings, home=queue.home.path, device="cpu")
    scheduler, job = Scheduler(queue.store, settings, broken), await queue.add_training()
    while scheduler.workers[0].starts < 3:
        await scheduler.run_turn()
        await asyncio.sleep(0.02)
    await scheduler.stop_workers()

    assert await queue.list_statuses(job) == ["queued"]
    assert (await queue.store.jobs.get(job.id)).fence == 0


async def test_power_cuts_count_nothing(queue):
    """However often all processes die at once amid a job, it is queued again."""
    settings = read_settings(TrainingSettings, home=queue.home.path, device="cpu")
    scheduler = Scheduler(queue.store, settings, LocalBackend(queue.home))
    await queue.add_training()
    for _ in range(MAX_INTERRUPTIONS + 1):
        job = await queue.store.jobs.claim("cpu", [Kind.TRAIN])
        marker = AdvanceMarker(scheduler.workers[0].folder.marker)
        marker.advancing(job.id, job.fence).__enter__()
        await scheduler.adopt_jobs()
    left = await queue.store.jobs.get(job.id)

    assert (left.status, left.attempts, left.interruptions) == (Status.QUEUED, 0, 0)


async def test_a_worker_that_is_killed_at_a_stop(queue):
    """A worker that does not end in peace while its scheduler is stopped blames no job."""
    settings = read_settings(TrainingSettings, home=queue.home.path, device="cpu")
    scheduler = Scheduler(queue.store, settings, LocalBackend(queue.home))
    await queue.add_training()
    job, (worker,) = await queue.store.jobs.claim("cpu", [Kind.TRAIN]), scheduler.workers
    AdvanceMarker(worker.folder.marker).advancing(job.id, job.fence).__enter__()
    worker.claims.append(await Claim.open(queue.store, job, worker.folder.inbox))
    worker.crashed = True
    await scheduler.stop_workers()
    left = await queue.store.jobs.get(job.id)

    assert (left.status, left.attempts, left.interruptions) == (Status.QUEUED, 0, 0)


async def test_a_killed_scheduler_loses_nothing(queue, hold_trainings):
    """After SIGKILL of the scheduler the worker continues; the next one settles the job once."""
    with queue.running_process(*SCHEDULER) as scheduler:
        job = await queue.add_training()
        await queue.wait_for_event(job, Progress, 5)
        scheduler.kill()
    before = queue.read_handle()
    events = await queue.store.events.list_for_job(job.id)
    hold_trainings()

    with queue.running_process(*SCHEDULER):
        await queue.wait_for(job, Status.DONE)

    steps = [entry.event.step for entry in await queue.store.events.list_kind(job.id, Progress)]
    assert len(events) < len(await queue.store.events.list_for_job(job.id))
    assert steps == list(range(1, 41))
    assert queue.read_handle() == before
    assert await queue.list_statuses(job) == ["queued", "running", "done"]
    assert len(await queue.store.styles.list_for(ALICE)) == 1


@pytest.mark.parametrize("name", ["cpu", "before/cpu"])
async def test_a_worker_with_another_name(queue, hold_trainings, name):
    """A worker of before names had a machine, or before it was called otherwise, is adopted."""
    with queue.running_process(*SCHEDULER) as scheduler:
        job = await queue.add_training()
        await queue.wait_for_event(job, Progress, 25)
        scheduler.kill()
    before = queue.read_handle()
    await queue.store._database.execute("UPDATE jobs SET worker = :name", name=name)

    async with queue.running_scheduler():
        hold_trainings()
        done = await queue.wait_for(job, Status.DONE)
        after = queue.read_handle()

    assert after == before
    assert done.fence == 1


async def test_a_job_of_another_machine(queue):
    """A job that a machine had which is no longer listed is requeued; no worker here is ended."""
    settings = read_settings(TrainingSettings, home=queue.home.path, device="cpu")
    scheduler = Scheduler(queue.store, settings, LocalBackend(queue.home))
    await queue.add_training()
    job = await queue.store.jobs.claim("lab2/cpu", [Kind.TRAIN])
    with queue.running_process("-c", "import time; time.sleep(60)") as ours:
        scheduler.workers[0].folder.path.mkdir()
        scheduler.workers[0].folder.write_process(describe_process(ours.pid))
        await scheduler.adopt_jobs()
        lives = ours.poll() is None
    left = await queue.store.jobs.get(job.id)

    assert lives
    assert (left.status, left.attempts, left.interruptions) == (Status.QUEUED, 0, 0)


async def test_ended_while_nobody_watched(queue, hold_trainings):
    """A job that ends while no scheduler runs is settled by the next one."""
    with queue.running_process(*SCHEDULER) as scheduler:
        job = await queue.add_training()
        await queue.wait_for_event(job, Progress, 5)
        scheduler.kill()
    hold_trainings()
    while b'"done"' not in queue.home.job_folder(job.folder).events_file.read_bytes():
        await asyncio.sleep(0.02)
    os.kill(queue.read_handle()["pid"], signal.SIGKILL)

    async with queue.running_scheduler():
        done = await queue.wait_for(job, Status.DONE)

    steps = [entry.event.step for entry in await queue.store.events.list_kind(job.id, Progress)]
    assert done.attempts == 1
    assert steps == list(range(1, 41))
    assert await queue.list_statuses(job) == ["queued", "running", "done"]


@pytest.mark.slow(7)
async def test_a_worker_that_hangs_is_replaced(queue, hold_trainings):
    """A missing heartbeat counts as a death, though the process exists."""
    async with queue.running_scheduler() as scheduler:
        job = await queue.add_training()
        await queue.wait_for_event(job, Progress, 25)
        scheduler.workers[0].watch.max_silent = 4.0
        hung = queue.read_handle()
        os.kill(hung["pid"], signal.SIGSTOP)
        hold_trainings()
        done = await queue.wait_for(job, Status.DONE)

    assert queue.read_handle() != hung
    assert done.attempts == 1
