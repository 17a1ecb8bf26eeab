"""Comparisons on a real queue, with real worker processes that train and grade nothing."""

from __future__ import annotations

import asyncio

import pytest

from storage.errors import UserError
from storage.planning.sweep import plan_shares
from storage.records import JobCommand, Kind, Status
from storage.tables.comparisons import ComparisonKind, ComparisonState, NewComparison, NewEntry
from tests.fakes.jobqueue import ALICE, CHANNEL, GUILD
from training.scheduler.comparing import ComparisonCourse

pytestmark = pytest.mark.slow(1)


@pytest.fixture
def add(queue):
    """Add a comparison of so many recipes."""

    async def make(count=2, shares=(1.0,), name="mydog", **more):
        dataset = await queue.add_dataset(name=name)
        entries = [
            NewEntry(f"{1 << at}", {
                "method": "lora", "base": "embedded", "name": f"mydog-{at}", "trigger": "mydog",
                "concept": "look", "dial": "quick", "steps": 40, "rank": 1 << at,
                "learning_rate": 1e-3, "batch_size": 2, "seed": 7, "file_bytes": 1 << at,
            } | more)
            for at in range(count)
        ]  # fmt: skip
        kind = ComparisonKind.SWEEP if len(shares) > 1 else ComparisonKind.COMPARE
        place = ALICE, GUILD, CHANNEL, dataset.id, dataset.name
        return await queue.store.comparisons.add(NewComparison(kind, *place, entries, shares))

    return make


async def wait_for_end(queue, comparison):
    """Return a comparison once it has ended."""
    async with asyncio.timeout(60):
        while not comparison.state.ended:
            await asyncio.sleep(0.02)
            comparison = await queue.store.comparisons.get(comparison.id)
    return comparison


async def test_all_are_trained_and_graded(queue, add):
    """One after the other is trained, then all are graded at once; each has its style."""
    async with queue.running_scheduler():
        comparison = await wait_for_end(queue, await add())

    entries = await queue.store.comparisons.list_entries(comparison.id)
    jobs = await queue.store.jobs.list_for(ALICE)
    assert comparison.state is ComparisonState.DONE
    assert [each.grades.beats for each in entries] == [(), (0,)]
    assert [job.kind for job in reversed(jobs)] == [Kind.TRAIN, Kind.TRAIN, Kind.GRADE]
    first, second = jobs[2], jobs[1]
    assert second.created >= first.ended
    assert {job.comparison for job in jobs} == {comparison.id}
    styles = await queue.store.styles.list_for(ALICE)
    assert {style.name for style in styles} == {"mydog-0", "mydog-1"}
    folder = queue.home.job_folder(jobs[0].folder)
    assert (folder.result / "0.png").exists()
    assert not folder.photos.exists()
    assert folder.grid_styles == []


async def test_one_failure(queue, add):
    """What fails or is cancelled is left out; the others are graded."""
    comparison = await add(3)
    course = ComparisonCourse(queue.store)
    await course.advance()
    (job,) = await queue.store.jobs.list_open()
    await queue.store.jobs.send_command(job.id, JobCommand.CANCEL, ALICE)

    async with queue.running_scheduler():
        comparison = await wait_for_end(queue, comparison)

    entries = await queue.store.comparisons.list_entries(comparison.id)
    assert comparison.state is ComparisonState.DONE
    assert [each.grades is None for each in entries] == [True, False, False]


async def test_nothing_to_grade(queue, add):
    """It fails if no training succeeds, with why; and if grading fails, with the styles kept."""
    comparison = await add(base="gone")
    async with queue.running_scheduler():
        nothing = await wait_for_end(queue, comparison)
        (queue.home.path / "unjudged").touch()
        ungraded = await wait_for_end(queue, await add(name="other"))

    assert nothing.state is ungraded.state is ComparisonState.FAILED
    assert nothing.result["error"]["code"] == "base_unknown"
    assert ungraded.result["error"]["code"] == "memory_full"
    assert len(await queue.store.styles.list_for(ALICE)) == 2


async def test_a_sweep_halves(queue, add):
    """The better half goes on from where it stood, until one has all steps; only its style stays.

    The last grades are of all that were trained, on one scale.
    """
    (queue.home.path / "keep").touch()
    async with queue.running_scheduler():
        comparison = await wait_for_end(queue, await add(4, shares=plan_shares(4)))

    entries = await queue.store.comparisons.list_entries(comparison.id)
    assert comparison.state is ComparisonState.DONE
    assert comparison.round == 2
    assert [each.out for each in entries] == [0, 0, 1, None]
    assert [each.grades.beats for each in entries] == [(), (0,), (0, 1), (0, 1, 2)]
    jobs = [
        job for job in reversed(await queue.store.jobs.list_for(ALICE, 20))
        if job.kind is Kind.TRAIN
    ]  # fmt: skip
    assert {job.request["steps"] for job in jobs} == {40}
    assert [(job.request["rank"], job.request["stop_after"]) for job in jobs] == [
        (1, 5), (2, 5), (4, 5), (8, 5), (4, 10), (8, 10), (8, 0),
    ]  # fmt: skip
    assert [jobs.index(job) for job in jobs if job.request.get("continues")] == [4, 5, 6]
    assert jobs[-1].request["continues"] == jobs[-2].id
    (style,) = await queue.store.styles.list_for(ALICE)
    assert [each.style for each in entries] == [None, None, None, style.id]


async def test_a_sweep_goes_on(queue, add, hold_trainings):
    """It survives a new scheduler in its second round, and an entry that failed in the first."""
    (queue.home.path / "keep").touch()
    comparison = await add(4, shares=(0.5, 0.75, 1.0))
    course = ComparisonCourse(queue.store)
    await course.advance()
    (job,) = await queue.store.jobs.list_open()
    await queue.store.jobs.send_command(job.id, JobCommand.CANCEL, ALICE)
    async with queue.running_scheduler():  # trainings are held at step 25, in the second round
        while not any(
            job.status is Status.RUNNING and job.request.get("continues")
            for job in await queue.store.jobs.list_open()
        ):
            await asyncio.sleep(0.02)
    hold_trainings()
    async with queue.running_scheduler():
        comparison = await wait_for_end(queue, comparison)

    entries = await queue.store.comparisons.list_entries(comparison.id)
    assert comparison.state is ComparisonState.DONE
    assert [each.out for each in entries] == [0, 0, 0, None]
    assert len(await queue.store.styles.list_for(ALICE)) == 1


async def test_photos_that_change_end_a_sweep(queue, add):
    """It cannot go on with other photos: why is kept, and nothing that was trained is."""
    (queue.home.path / "keep").touch()
    comparison = await add(2, shares=(0.5, 1.0))
    async with queue.running_scheduler():
        while (await queue.store.comparisons.get(comparison.id)).state is ComparisonState.TRAINING:
            await asyncio.sleep(0.02)
        photo, *_ = await queue.store.photos.list_for(comparison.dataset, ALICE)
        await queue.store.photos.remove(photo.id, ALICE)
        comparison = await wait_for_end(queue, comparison)

    assert comparison.state is ComparisonState.FAILED
    assert comparison.result["error"]["code"] == "photos_changed"
    assert await queue.store.styles.list_for(ALICE) == []


async def test_a_sweep_whose_last_training_fails(queue, add):
    """What was trained a part of the way is deleted where nothing was trained to its end."""
    comparison = await add(2, shares=(0.5, 1.0))  # without states to go on from

    async with queue.running_scheduler():
        comparison = await wait_for_end(queue, comparison)

    assert comparison.state is ComparisonState.FAILED
    assert comparison.result["error"]["code"] == "state_gone"
    assert comparison.round == 1
    assert await queue.store.styles.list_for(ALICE) == []


async def test_a_restart(queue, add, hold_trainings):
    """A new scheduler goes on where the one before was killed, and trains nothing twice."""
    comparison = await add()
    async with queue.running_scheduler():
        while not any(job.status is Status.RUNNING for job in await queue.store.jobs.list_open()):
            await asyncio.sleep(0.02)
    hold_trainings()
    async with queue.running_scheduler():
        await wait_for_end(queue, comparison)

    kinds = [job.kind for job in await queue.store.jobs.list_for(ALICE)]
    assert sorted(kinds) == [Kind.GRADE, Kind.TRAIN, Kind.TRAIN]


async def test_gone_meanwhile(queue, add):
    """A comparison that is deleted while its course is decided changes nothing else."""
    comparison = await add()
    course = ComparisonCourse(queue.store)
    await queue.store.datasets.delete(comparison.dataset, ALICE)

    await course.advance()

    with pytest.raises(UserError, match="comparison_unknown"):
        await queue.store.comparisons.get(comparison.id)
    assert await queue.store.jobs.list_open() == []
