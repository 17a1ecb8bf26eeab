"""The queue: what is asked for twice, commands and cards."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from storage.errors import UserError
from storage.folders import Home
from storage.records import Concept, JobCommand, Kind, NewJob, Status
from storage.store import Store
from tests.fakes.claims import ALL_KINDS, claim, statuses

ALICE, BOB, MODERATOR, GUILD, CHANNEL = 1001, 1002, 1003, 77, 88
MakeJob = Callable[..., NewJob]


async def test_queue(store: Store, make_job: MakeJob) -> None:
    """A queued job is stored as it was given, and makes an event."""
    job = await store.jobs.queue(make_job(request={"prompt": "a »dog«"}, private=True))

    assert await store.jobs.get(job.id) == job
    assert (job.status, job.private, job.request["prompt"]) == (Status.QUEUED, True, "a »dog«")
    assert await statuses(store, job.id) == [{"status": "queued"}]


async def test_same_training(store: Store, make_job: MakeJob) -> None:
    """A training is refused while the same one, seed apart, has not ended."""
    first = await store.jobs.queue(make_job(request={"seed": 1}))

    with pytest.raises(UserError) as caught:
        await store.jobs.queue(make_job(request={"seed": 2}))
    await store.jobs.queue(make_job(request={"steps": 200}))
    await store.jobs.queue(make_job(owner=BOB))
    await store.jobs.send_command(first.id, JobCommand.CANCEL, ALICE)
    await store.jobs.queue(make_job())

    assert (caught.value.code, caught.value.facts) == ("job_twice", {"job": first.id})


async def test_same_sample(store: Store, make_job: MakeJob) -> None:
    """The same sample may be queued twice."""
    first = await store.jobs.queue(make_job(Kind.SAMPLE))
    second = await store.jobs.queue(make_job(Kind.SAMPLE))

    assert first.id != second.id


async def test_others_jobs(store: Store, make_job: MakeJob) -> None:
    """Another member's job is unknown, like one that does not exist."""
    job = await store.jobs.queue(make_job())

    for number, owner in ((job.id, BOB), (999, ALICE)):
        with pytest.raises(UserError, match=r"^job_unknown$"):
            await store.jobs.get_owned(number, owner)

    assert await store.jobs.get_owned(job.id, ALICE) == job
    assert await store.jobs.list_for(BOB) == []
    assert await store.jobs.list_for(ALICE) == await store.jobs.list_for_guild(GUILD) == [job]
    assert await store.jobs.list_for_guild(GUILD + 1) == []


async def test_pauses(store: Store, make_job: MakeJob) -> None:
    """A resumed job has all of its attempts."""
    await store.jobs.queue(make_job())
    for _ in range(4):
        job = await claim(store)
        await store.jobs.send_command(job.id, JobCommand.PAUSE, ALICE)
        await store.jobs.end_run(job.id, job.fence, Status.PAUSED)
        await store.jobs.resume(job.id, ALICE)
    job = await claim(store)

    released = await store.jobs.release(job.id, job.fence)

    assert (job.attempts, job.requested, released.status) == (1, None, Status.QUEUED)


@pytest.mark.parametrize(
    ("command", "status", "left"),
    [
        (JobCommand.CANCEL, Status.CANCELLED, JobCommand.CANCEL),
        (JobCommand.PAUSE, Status.PAUSED, None),
        (JobCommand.FINISH, Status.QUEUED, JobCommand.FINISH),
    ],
)
async def test_command_of_dead_worker(
    store: Store, make_job: MakeJob, command: JobCommand, status: Status, left: JobCommand | None
) -> None:
    """A command outlives the worker that should have obeyed it."""
    await store.jobs.queue(make_job())
    job = await claim(store)
    running = await store.jobs.send_command(job.id, command, ALICE)

    released = await store.jobs.release(job.id, job.fence)

    assert (running.status, running.requested) == (Status.RUNNING, command)
    assert (released.status, released.requested) == (status, left)


@pytest.mark.parametrize(
    ("command", "status"),
    [(JobCommand.CANCEL, Status.CANCELLED), (JobCommand.PAUSE, Status.PAUSED)],
)
async def test_waiting(
    store: Store, make_job: MakeJob, command: JobCommand, status: Status
) -> None:
    """A waiting job is cancelled or paused at once, and the event says by whom."""
    job = await store.jobs.queue(make_job())

    moved = await store.jobs.send_command(job.id, command, MODERATOR)

    assert (moved.status, moved.requested_by) == (status, MODERATOR)
    assert (await statuses(store, job.id))[-1] == {"status": status, "by": MODERATOR}
    assert await store.jobs.claim("w", ALL_KINDS) is None


async def test_finish(store: Store, make_job: MakeJob) -> None:
    """A job that never ran cannot finish; a paused one is queued to do so."""
    job = await store.jobs.queue(make_job())

    with pytest.raises(UserError, match="job_unstarted"):
        await store.jobs.send_command(job.id, JobCommand.FINISH, ALICE)
    run = await claim(store)
    await store.jobs.end_run(run.id, run.fence, Status.PAUSED)
    await store.jobs.send_command(job.id, JobCommand.FINISH, ALICE)
    again = await claim(store)

    assert (again.id, again.requested) == (job.id, JobCommand.FINISH)


async def test_ended(store: Store, make_job: MakeJob) -> None:
    """A job that has ended takes no commands."""
    job = await store.jobs.queue(make_job())
    await store.jobs.send_command(job.id, JobCommand.CANCEL, ALICE)

    with pytest.raises(UserError, match="job_ended"):
        await store.jobs.send_command(job.id, JobCommand.CANCEL, ALICE)
    with pytest.raises(UserError, match="job_ended"):
        await store.jobs.resume(job.id, ALICE)

    assert await store.jobs.list_open() == []


async def test_resume(store: Store, make_job: MakeJob) -> None:
    """A paused job is queued again; resuming it twice changes nothing."""
    job = await store.jobs.queue(make_job())
    await store.jobs.send_command(job.id, JobCommand.PAUSE, ALICE)

    first = await store.jobs.resume(job.id, ALICE)
    second = await store.jobs.resume(job.id, ALICE)

    assert first == second
    assert [job.status for job in await store.jobs.list_open()] == [Status.QUEUED]


async def test_recent_trainings(store: Store, make_job: MakeJob) -> None:
    """Trainings of 24 hours are counted by member and server, cancelled ones apart.

    One that a wrong clock has dated ahead takes up no day for ever.
    """
    first = await store.jobs.queue(make_job())
    await store.jobs.queue(make_job(request={"steps": 2}))
    await store.jobs.queue(make_job(request={"steps": 3}))
    await store.jobs.queue(make_job(Kind.SAMPLE))
    await store.jobs.send_command(first.id, JobCommand.CANCEL, ALICE)
    old = await store.jobs.queue(make_job(request={"steps": 4}))
    await store._database.execute("UPDATE jobs SET created = 0 WHERE id = :id", id=old.id)
    ahead = await store.jobs.queue(make_job(request={"steps": 5}))
    await store._database.execute("UPDATE jobs SET created = 4e9 WHERE id = :id", id=ahead.id)

    assert await store.jobs.count_recent_trainings(ALICE, GUILD) == 2
    assert (
        await store.jobs.count_recent_trainings(ALICE, GUILD + 1)
        == await store.jobs.count_recent_trainings(BOB, GUILD)
        == 0
    )


async def test_card(store: Store, make_job: MakeJob) -> None:
    """A job stores where its card is and whom to ping."""
    job = await store.jobs.queue(make_job())
    await store.jobs.set_card(job.id, 5, 6, 7)
    for member in (BOB, ALICE, BOB):
        await store.jobs.add_watcher(job.id, member)
    await store.jobs.add_watcher(999, BOB)

    found = await store.jobs.get(job.id)

    assert (found.channel, found.message, found.thread) == (5, 6, 7)
    assert found.posted is not None
    assert await store.jobs.list_watchers(job.id) == [BOB, ALICE]


async def test_restart(home: Home, make_job: MakeJob) -> None:
    """A job, its lease and its command survive a restart."""
    async with await Store.open(home) as store:
        dog = await store.datasets.create(ALICE, GUILD, "dog", Concept.SUBJECT)
        await store.jobs.queue(make_job(dataset=dog.id))
        job = await claim(store)
        before = await store.jobs.send_command(job.id, JobCommand.PAUSE, ALICE)
    async with await Store.open(home) as store:
        after = await store.jobs.get(job.id)

    assert before == after
