"""The queue: claims, leases, fences, commands, attempts."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable

import pytest

from storage.errors import UserError
from storage.events import StatusChanged
from storage.folders import Home
from storage.records import Concept, Job, JobCommand, Kind, NewJob, Release, Status
from storage.store import Store
from storage.tables.jobs import CLAIM_JOB, MAX_ATTEMPTS, MAX_INTERRUPTIONS

ALICE, BOB, MODERATOR, GUILD, CHANNEL = 1001, 1002, 1003, 77, 88
ALL_KINDS = tuple(Kind)
MakeJob = Callable[..., NewJob]

CLAIMER = """
import asyncio, sys
from pathlib import Path
from storage.folders import Home
from storage.records import Kind
from storage.store import Store

async def main():
    async with await Store.open(Home(Path(sys.argv[1]))) as store:
        while job := await store.jobs.claim(sys.argv[2], [Kind.SAMPLE]):
            print(job.id)

asyncio.run(main())
"""


async def claim(store: Store, lease: float = 30) -> Job:
    """Claim the next job."""
    job = await store.jobs.claim("w", ALL_KINDS, lease=lease)
    assert job is not None
    return job


async def statuses(store: Store, job: int) -> list[dict[str, object]]:
    """Return the events of a job's status."""
    return [entry.to_json() for entry in await store.events.list_kind(job, StatusChanged)]


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


async def test_racing(store: Store, make_job: MakeJob) -> None:
    """Of many equal trainings at the same time one is queued."""
    answers = await asyncio.gather(
        *(store.jobs.queue(make_job()) for _ in range(10)), return_exceptions=True
    )

    assert sum(isinstance(answer, Job) for answer in answers) == 1


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


async def test_order(store: Store, make_job: MakeJob) -> None:
    """Samples come before captions, captions before trainings; the oldest first."""
    kinds = (Kind.TRAIN, Kind.CAPTION, Kind.TRAIN, Kind.SAMPLE, Kind.SAMPLE)
    jobs = [
        await store.jobs.queue(make_job(kind, request={"steps": at}))
        for at, kind in enumerate(kinds)
    ]
    places = [await store.jobs.queue_position(job.id) for job in jobs]

    order = [(await claim(store)).id for _ in jobs]

    assert places == [4, 3, 5, 1, 2]
    assert order == [jobs[at].id for at in (3, 4, 1, 0, 2)]
    assert await store.jobs.claim("w", ALL_KINDS) is None
    assert await store.jobs.queue_position(jobs[0].id) == 0


async def test_kinds_and_bases(store: Store, make_job: MakeJob) -> None:
    """A worker claims only the kinds and bases it names."""
    train = await store.jobs.queue(make_job())
    sample = await store.jobs.queue(make_job(Kind.SAMPLE, base="sdxl"))

    assert await store.jobs.claim("w", [Kind.CAPTION]) is None
    assert await store.jobs.claim("w", ALL_KINDS, ["sd21"]) is None
    assert await store.jobs.claim("w", ALL_KINDS, []) is None
    first = await store.jobs.claim("w", ALL_KINDS, ["embedded"])
    second = await store.jobs.claim("w", [Kind.SAMPLE])

    assert (first and first.id, second and second.id) == (train.id, sample.id)


async def test_indexed(store: Store) -> None:
    """A claim uses the index and does not sort the queue."""
    plan = await store._database.execute(
        f"EXPLAIN QUERY PLAN {CLAIM_JOB}", worker="w", kinds="[]", bases=None, lease=30, now=0
    )
    steps = " ".join(row["detail"] for row in plan)

    assert "jobs_queue" in steps
    assert "TEMP B-TREE FOR ORDER" not in steps


async def test_processes(store: Store, home: Home, make_job: MakeJob) -> None:
    """Two processes that claim at once never get the same job."""
    jobs = [await store.jobs.queue(make_job(Kind.SAMPLE)) for _ in range(60)]
    command = [sys.executable, "-c", CLAIMER, str(home.path)]
    claimers = [
        await asyncio.create_subprocess_exec(*command, name, stdout=subprocess.PIPE)
        for name in ("one", "two")
    ]
    claims = [(await claimer.communicate())[0].split() for claimer in claimers]

    assert sorted(int(job) for jobs in claims for job in jobs) == [job.id for job in jobs]
    assert {(await store.jobs.get(job.id)).fence for job in jobs} == {1}


@pytest.mark.parametrize("lease", [-1, 3600])
async def test_lease(store: Store, make_job: MakeJob, lease: float) -> None:
    """A lease that ran out, or that the clock has left behind, can be renewed."""
    await store.jobs.queue(make_job())
    job = await claim(store, lease=lease)
    stalled = [each.id for each in await store.jobs.list_stalled()]

    renewed = await store.jobs.extend_lease(job.id, job.fence)

    assert (stalled, renewed) == ([job.id], True)
    assert await store.jobs.list_stalled() == []


async def test_fence(store: Store, make_job: MakeJob) -> None:
    """An old claim can neither be renewed nor end the job."""
    await store.jobs.queue(make_job())
    old = await claim(store)
    await store.jobs.release(old.id, old.fence)
    new = await claim(store)

    assert new.fence > old.fence
    assert not await store.jobs.extend_lease(old.id, old.fence)
    assert not await store.jobs.end_run(old.id, old.fence, Status.DONE)
    assert (await store.jobs.release(old.id, old.fence)).status is Status.RUNNING
    assert await store.jobs.end_run(new.id, new.fence, Status.DONE)


async def test_end_once(store: Store, make_job: MakeJob) -> None:
    """A job ends exactly once, with one event."""
    await store.jobs.queue(make_job())
    job = await claim(store)
    ends = (Status.DONE, Status.FAILED, Status.CANCELLED, Status.DONE)

    ends_accepted = await asyncio.gather(
        *(store.jobs.end_run(job.id, job.fence, end) for end in ends)
    )

    assert sum(ends_accepted) == 1
    assert [facts["status"] for facts in await statuses(store, job.id)][2:] == ["done"]
    assert not await store.jobs.extend_lease(job.id, job.fence)


async def test_failed(store: Store, make_job: MakeJob) -> None:
    """A failed job keeps its error and its log; its copies of photos are removed."""
    await store.jobs.queue(make_job())
    job = await claim(store)
    folder = store.home.job_folder(job.folder)
    folder.photos.mkdir(parents=True)
    folder.log_file.write_text("what the worker said")

    await store.jobs.end_run(job.id, job.fence, Status.FAILED, {"code": "memory_low", "free": 3})
    ended = await store.jobs.get(job.id)

    assert ended.error == {"code": "memory_low", "free": 3}
    assert ended.ended is not None
    assert not folder.photos.exists()
    assert folder.log_file.exists()


async def test_wrong_end(store: Store, make_job: MakeJob) -> None:
    """A run can only end as paused, done, failed or cancelled."""
    await store.jobs.queue(make_job())
    job = await claim(store)

    with pytest.raises(ValueError, match="queued"):
        await store.jobs.end_run(job.id, job.fence, Status.QUEUED)


async def test_attempts(store: Store, make_job: MakeJob) -> None:
    """A job whose worker dies three times fails."""
    await store.jobs.queue(make_job())
    statuses_after = []
    for _ in range(3):
        job = await claim(store)
        statuses_after.append((await store.jobs.release(job.id, job.fence)).status)

    ended = await store.jobs.get(job.id)

    assert statuses_after == [Status.QUEUED, Status.QUEUED, Status.FAILED]
    assert ended.error == {"code": "worker_died", "attempts": 3}


async def test_given_back(store: Store, make_job: MakeJob) -> None:
    """A job that a living worker gives back loses no attempt, however often."""
    await store.jobs.queue(make_job())
    for _ in range(MAX_INTERRUPTIONS + 1):
        job = await claim(store)
        released = await store.jobs.release(job.id, job.fence, Release.HANDED_BACK)

    assert (job.attempts, released.attempts, released.status) == (1, 0, Status.QUEUED)
    assert released.interruptions == 0


async def test_interruptions(store: Store, make_job: MakeJob) -> None:
    """Deaths that are not the job's own end it only where nothing else would ever."""
    await store.jobs.queue(make_job())
    statuses_after = []
    for _ in range(MAX_INTERRUPTIONS):
        job = await claim(store)
        released = await store.jobs.release(job.id, job.fence, Release.INTERRUPTED)
        statuses_after.append(released.status)

    assert set(statuses_after[:-1]) == {Status.QUEUED}
    assert statuses_after[-1] is Status.FAILED
    assert released.error == {"code": "worker_died", "attempts": MAX_INTERRUPTIONS}


async def test_progress_resets(store: Store, make_job: MakeJob) -> None:
    """Only crashes and interruptions since the last progress count; an old claim makes none."""
    await store.jobs.queue(make_job())
    for _ in range(MAX_ATTEMPTS * 2):
        job = await claim(store)
        await store.jobs.record_progress(job.id, job.fence)
        await store.jobs.record_progress(job.id, job.fence - 1)
        await store.jobs.release(job.id, job.fence, Release.INTERRUPTED)
        job = await claim(store)
        await store.jobs.record_progress(job.id, job.fence)
        released = await store.jobs.release(job.id, job.fence, Release.CRASHED)

    assert (released.status, released.attempts, released.interruptions) == (Status.QUEUED, 1, 0)


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
    """Trainings of 24 hours are counted by member and server, cancelled ones apart."""
    first = await store.jobs.queue(make_job())
    await store.jobs.queue(make_job(request={"steps": 2}))
    await store.jobs.queue(make_job(request={"steps": 3}))
    await store.jobs.queue(make_job(Kind.SAMPLE))
    await store.jobs.send_command(first.id, JobCommand.CANCEL, ALICE)
    old = await store.jobs.queue(make_job(request={"steps": 4}))
    await store._database.execute("UPDATE jobs SET created = 0 WHERE id = :id", id=old.id)

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
