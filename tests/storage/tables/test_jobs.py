"""The queue: claims, leases, fences, wishes, attempts."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable

import pytest

from storage.errors import UserError
from storage.events import StatusChanged
from storage.folders import Home
from storage.records import Concept, Job, JobCommand, Kind, NewJob, Status
from storage.store import Store
from storage.tables.jobs import CLAIM_JOB

ALICE, BOB, MODERATOR, GUILD, CHANNEL = 1001, 1002, 1003, 77, 88
EVERY = tuple(Kind)
Asked = Callable[..., NewJob]

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


async def claimed(store: Store, lease: float = 30) -> Job:
    """Claim what is next."""
    job = await store.jobs.claim("w", EVERY, lease=lease)
    assert job is not None
    return job


async def statuses(store: Store, job: int) -> list[dict[str, object]]:
    """Return what the events say of a job's status."""
    return [entry.to_json() for entry in await store.events.of_kind(job, StatusChanged)]


async def test_queue(store: Store, asked: Asked) -> None:
    """A job that was asked for is kept as it was asked for, and is an event."""
    job = await store.jobs.queue(asked(request={"prompt": "a »dog«"}, private=True))

    assert await store.jobs.get(job.id) == job
    assert (job.status, job.private, job.request["prompt"]) == (Status.QUEUED, True, "a »dog«")
    assert await statuses(store, job.id) == [{"status": "queued"}]


async def test_twice(store: Store, asked: Asked) -> None:
    """The same training with another seed is the same, until the first has ended."""
    first = await store.jobs.queue(asked(request={"seed": 1}))

    with pytest.raises(UserError) as caught:
        await store.jobs.queue(asked(request={"seed": 2}))
    await store.jobs.queue(asked(request={"steps": 200}))
    await store.jobs.queue(asked(owner=BOB))
    await store.jobs.send_command(first.id, JobCommand.CANCEL, ALICE)
    await store.jobs.queue(asked())

    assert (caught.value.code, caught.value.facts) == ("job_twice", {"job": first.id})


async def test_samples(store: Store, asked: Asked) -> None:
    """The same picture may be asked for again."""
    first = await store.jobs.queue(asked(Kind.SAMPLE))
    second = await store.jobs.queue(asked(Kind.SAMPLE))

    assert first.id != second.id


async def test_racing(store: Store, asked: Asked) -> None:
    """Of many identical commands at once one is queued."""
    answers = await asyncio.gather(
        *(store.jobs.queue(asked()) for _ in range(10)), return_exceptions=True
    )

    assert sum(isinstance(answer, Job) for answer in answers) == 1


async def test_mine(store: Store, asked: Asked) -> None:
    """Somebody else's job is as unknown as none."""
    job = await store.jobs.queue(asked())

    for number, owner in ((job.id, BOB), (999, ALICE)):
        with pytest.raises(UserError, match=r"^job_unknown$"):
            await store.jobs.get_owned(number, owner)

    assert await store.jobs.get_owned(job.id, ALICE) == job
    assert await store.jobs.list_for(BOB) == []
    assert await store.jobs.list_for(ALICE) == await store.jobs.list_for_guild(GUILD) == [job]
    assert await store.jobs.list_for_guild(GUILD + 1) == []


async def test_order(store: Store, asked: Asked) -> None:
    """Samples come before captions, captions before trainings, then the oldest."""
    kinds = (Kind.TRAIN, Kind.CAPTION, Kind.TRAIN, Kind.SAMPLE, Kind.SAMPLE)
    jobs = [
        await store.jobs.queue(asked(kind, request={"steps": at})) for at, kind in enumerate(kinds)
    ]
    places = [await store.jobs.queue_position(job.id) for job in jobs]

    order = [(await claimed(store)).id for _ in jobs]

    assert places == [4, 3, 5, 1, 2]
    assert order == [jobs[at].id for at in (3, 4, 1, 0, 2)]
    assert await store.jobs.claim("w", EVERY) is None
    assert await store.jobs.queue_position(jobs[0].id) == 0


async def test_chosen(store: Store, asked: Asked) -> None:
    """A worker takes only the kinds and the bases it asks for."""
    train = await store.jobs.queue(asked())
    sample = await store.jobs.queue(asked(Kind.SAMPLE, base="sdxl"))

    assert await store.jobs.claim("w", [Kind.CAPTION]) is None
    assert await store.jobs.claim("w", EVERY, ["sd21"]) is None
    assert await store.jobs.claim("w", EVERY, []) is None
    first = await store.jobs.claim("w", EVERY, ["embedded"])
    second = await store.jobs.claim("w", [Kind.SAMPLE])

    assert (first and first.id, second and second.id) == (train.id, sample.id)


async def test_indexed(store: Store) -> None:
    """A claim finds its job by the index, without sorting the queue."""
    plan = await store._database.execute(
        f"EXPLAIN QUERY PLAN {CLAIM_JOB}", worker="w", kinds="[]", bases=None, lease=30, now=0
    )
    steps = " ".join(row["detail"] for row in plan)

    assert "jobs_queue" in steps
    assert "TEMP B-TREE FOR ORDER" not in steps


async def test_processes(store: Store, home: Home, asked: Asked) -> None:
    """Two processes that claim at once never get the same job."""
    jobs = [await store.jobs.queue(asked(Kind.SAMPLE)) for _ in range(60)]
    command = [sys.executable, "-c", CLAIMER, str(home.path)]
    claimers = [
        await asyncio.create_subprocess_exec(*command, name, stdout=subprocess.PIPE)
        for name in ("one", "two")
    ]
    told = [(await claimer.communicate())[0].split() for claimer in claimers]

    assert sorted(int(job) for jobs in told for job in jobs) == [job.id for job in jobs]
    assert {(await store.jobs.get(job.id)).fence for job in jobs} == {1}


async def test_lease(store: Store, asked: Asked) -> None:
    """A claim lasts as long as it is kept alive."""
    await store.jobs.queue(asked())
    job = await claimed(store, lease=-1)
    stalled = [each.id for each in await store.jobs.list_stalled()]

    beaten = await store.jobs.extend_lease(job.id, job.fence)

    assert (stalled, beaten) == ([job.id], True)
    assert await store.jobs.list_stalled() == []


async def test_fence(store: Store, asked: Asked) -> None:
    """A worker that was given up can neither keep the job nor end it."""
    await store.jobs.queue(asked())
    old = await claimed(store)
    await store.jobs.release(old.id, old.fence)
    new = await claimed(store)

    assert new.fence > old.fence
    assert not await store.jobs.extend_lease(old.id, old.fence)
    assert not await store.jobs.end_run(old.id, old.fence, Status.DONE)
    assert (await store.jobs.release(old.id, old.fence)).status is Status.RUNNING
    assert await store.jobs.end_run(new.id, new.fence, Status.DONE)


async def test_once(store: Store, asked: Asked) -> None:
    """A job ends exactly once, with one event."""
    await store.jobs.queue(asked())
    job = await claimed(store)
    ends = (Status.DONE, Status.FAILED, Status.CANCELLED, Status.DONE)

    told = await asyncio.gather(*(store.jobs.end_run(job.id, job.fence, end) for end in ends))

    assert sum(told) == 1
    assert [facts["status"] for facts in await statuses(store, job.id)][2:] == ["done"]
    assert not await store.jobs.extend_lease(job.id, job.fence)


async def test_failed(store: Store, asked: Asked) -> None:
    """What ended a job is kept with it, and the copies of its photos go."""
    await store.jobs.queue(asked())
    job = await claimed(store)
    folder = store.home.job_folder(job.id)
    folder.photos.mkdir(parents=True)
    folder.log_file.write_text("what the worker said")

    await store.jobs.end_run(job.id, job.fence, Status.FAILED, {"code": "memory_low", "free": 3})
    ended = await store.jobs.get(job.id)

    assert ended.error == {"code": "memory_low", "free": 3}
    assert ended.ended is not None
    assert not folder.photos.exists()
    assert folder.log_file.exists()


async def test_unsettled(store: Store, asked: Asked) -> None:
    """A run ends paused or ended, nothing else."""
    await store.jobs.queue(asked())
    job = await claimed(store)

    with pytest.raises(ValueError, match="queued"):
        await store.jobs.end_run(job.id, job.fence, Status.QUEUED)


async def test_attempts(store: Store, asked: Asked) -> None:
    """A job whose worker dies three times has failed, with the reason."""
    await store.jobs.queue(asked())
    seen = []
    for _ in range(3):
        job = await claimed(store)
        seen.append((await store.jobs.release(job.id, job.fence)).status)

    ended = await store.jobs.get(job.id)

    assert seen == [Status.QUEUED, Status.QUEUED, Status.FAILED]
    assert ended.error == {"code": "worker_died", "attempts": 3}


async def test_uncounted(store: Store, asked: Asked) -> None:
    """A job that a living worker puts down goes back however often that happens."""
    await store.jobs.queue(asked())
    for _ in range(5):
        job = await claimed(store)
        put = await store.jobs.release(job.id, job.fence, counted=False)

    assert (job.attempts, put.attempts, put.status) == (1, 0, Status.QUEUED)


async def test_pauses(store: Store, asked: Asked) -> None:
    """Pausing is no failed attempt."""
    await store.jobs.queue(asked())
    for _ in range(4):
        job = await claimed(store)
        await store.jobs.send_command(job.id, JobCommand.PAUSE, ALICE)
        await store.jobs.end_run(job.id, job.fence, Status.PAUSED)
        await store.jobs.resume(job.id, ALICE)
    job = await claimed(store)

    released = await store.jobs.release(job.id, job.fence)

    assert (job.attempts, job.requested, released.status) == (1, None, Status.QUEUED)


@pytest.mark.parametrize(
    ("wish", "status", "left"),
    [
        (JobCommand.CANCEL, Status.CANCELLED, JobCommand.CANCEL),
        (JobCommand.PAUSE, Status.PAUSED, None),
        (JobCommand.FINISH, Status.QUEUED, JobCommand.FINISH),
    ],
)
async def test_wished(
    store: Store, asked: Asked, wish: JobCommand, status: Status, left: JobCommand | None
) -> None:
    """A wish outlives the worker that was to honour it."""
    await store.jobs.queue(asked())
    job = await claimed(store)
    running = await store.jobs.send_command(job.id, wish, ALICE)

    released = await store.jobs.release(job.id, job.fence)

    assert (running.status, running.requested) == (Status.RUNNING, wish)
    assert (released.status, released.requested) == (status, left)


@pytest.mark.parametrize(
    ("wish", "status"), [(JobCommand.CANCEL, Status.CANCELLED), (JobCommand.PAUSE, Status.PAUSED)]
)
async def test_waiting(store: Store, asked: Asked, wish: JobCommand, status: Status) -> None:
    """A job that waits is cancelled or paused at once, and it is told by whom."""
    job = await store.jobs.queue(asked())

    moved = await store.jobs.send_command(job.id, wish, MODERATOR)

    assert (moved.status, moved.requested_by) == (status, MODERATOR)
    assert (await statuses(store, job.id))[-1] == {"status": status, "by": MODERATOR}
    assert await store.jobs.claim("w", EVERY) is None


async def test_finish(store: Store, asked: Asked) -> None:
    """Nothing can be kept of a job that has not begun; a paused one finishes in its turn."""
    job = await store.jobs.queue(asked())

    with pytest.raises(UserError, match="job_unstarted"):
        await store.jobs.send_command(job.id, JobCommand.FINISH, ALICE)
    run = await claimed(store)
    await store.jobs.end_run(run.id, run.fence, Status.PAUSED)
    await store.jobs.send_command(job.id, JobCommand.FINISH, ALICE)
    again = await claimed(store)

    assert (again.id, again.requested) == (job.id, JobCommand.FINISH)


async def test_ended(store: Store, asked: Asked) -> None:
    """Nothing can be asked of a job that has ended."""
    job = await store.jobs.queue(asked())
    await store.jobs.send_command(job.id, JobCommand.CANCEL, ALICE)

    with pytest.raises(UserError, match="job_ended"):
        await store.jobs.send_command(job.id, JobCommand.CANCEL, ALICE)
    with pytest.raises(UserError, match="job_ended"):
        await store.jobs.resume(job.id, ALICE)

    assert await store.jobs.list_open() == []


async def test_resume(store: Store, asked: Asked) -> None:
    """A paused job goes back to the queue; pressing twice changes nothing."""
    job = await store.jobs.queue(asked())
    await store.jobs.send_command(job.id, JobCommand.PAUSE, ALICE)

    first = await store.jobs.resume(job.id, ALICE)
    second = await store.jobs.resume(job.id, ALICE)

    assert first == second
    assert [job.status for job in await store.jobs.list_open()] == [Status.QUEUED]


async def test_today(store: Store, asked: Asked) -> None:
    """Trainings of a day are counted by member and server, without the cancelled."""
    first = await store.jobs.queue(asked())
    await store.jobs.queue(asked(request={"steps": 2}))
    await store.jobs.queue(asked(request={"steps": 3}))
    await store.jobs.queue(asked(Kind.SAMPLE))
    await store.jobs.send_command(first.id, JobCommand.CANCEL, ALICE)
    old = await store.jobs.queue(asked(request={"steps": 4}))
    await store._database.execute("UPDATE jobs SET created = 0 WHERE id = :id", id=old.id)

    assert await store.jobs.count_recent_trainings(ALICE, GUILD) == 2
    assert (
        await store.jobs.count_recent_trainings(ALICE, GUILD + 1)
        == await store.jobs.count_recent_trainings(BOB, GUILD)
        == 0
    )


async def test_card(store: Store, asked: Asked) -> None:
    """A job knows where its card is and whom to tell."""
    job = await store.jobs.queue(asked())
    await store.jobs.set_card(job.id, 5, 6, 7)
    for member in (BOB, ALICE, BOB):
        await store.jobs.add_watcher(job.id, member)
    await store.jobs.add_watcher(999, BOB)

    found = await store.jobs.get(job.id)

    assert (found.channel, found.message, found.thread) == (5, 6, 7)
    assert found.posted is not None
    assert await store.jobs.list_watchers(job.id) == [BOB, ALICE]


async def test_restart(home: Home, asked: Asked) -> None:
    """An accepted job, its lease and its wish are there after a restart."""
    async with await Store.open(home) as store:
        dog = await store.datasets.create(ALICE, GUILD, "dog", Concept.SUBJECT)
        await store.jobs.queue(asked(dataset=dog.id))
        job = await claimed(store)
        before = await store.jobs.send_command(job.id, JobCommand.PAUSE, ALICE)
    async with await Store.open(home) as store:
        after = await store.jobs.get(job.id)

    assert before == after
