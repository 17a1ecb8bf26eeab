"""Claims of jobs: their order, leases, fences, ends and attempts."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable

import pytest

from storage.folders import Home
from storage.records import Job, Kind, NewJob, Release, Status
from storage.store import Store
from storage.tables.claims import CLAIM_JOB, NO_PREFERENCES, Preferences, select_jobs
from storage.tables.jobs import MAX_ATTEMPTS, MAX_INTERRUPTIONS
from tests.fakes.claims import ALL_KINDS, claim, statuses

ALICE, BOB, MODERATOR, GUILD, CHANNEL = 1001, 1002, 1003, 77, 88
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


async def test_racing(store: Store, make_job: MakeJob) -> None:
    """Of many equal trainings at the same time one is queued."""
    answers = await asyncio.gather(
        *(store.jobs.queue(make_job()) for _ in range(10)), return_exceptions=True
    )

    assert sum(isinstance(answer, Job) for answer in answers) == 1


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
        f"EXPLAIN QUERY PLAN {CLAIM_JOB}",
        worker="w", lease=30, now=0, **select_jobs([], None, NO_PREFERENCES),
    )  # fmt: skip
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


async def test_bystander(store: Store, make_job: MakeJob) -> None:
    """A job that is not even advanced when its worker dies is queued again, however often."""
    await store.jobs.queue(make_job())
    for _ in range(MAX_INTERRUPTIONS + 1):
        job = await claim(store)
        released = await store.jobs.release(job.id, job.fence, Release.LEFT)

    assert (released.status, released.attempts, released.interruptions) == (Status.QUEUED, 0, 0)


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


async def test_elsewhere(store: Store, make_job: MakeJob) -> None:
    """What only others can run is left to them; the rest keeps its order."""
    for base in ("sdxl", "embedded"):
        await store.jobs.queue(make_job(base=base, request={"base": base}))
    preferred = Preferences(elsewhere=("sdxl",))

    first = await store.jobs.claim("a", ALL_KINDS, preferred=preferred)
    none = await store.jobs.claim("a", ALL_KINDS, preferred=preferred)
    second = await store.jobs.claim("b", ALL_KINDS)

    assert [job and job.base for job in (first, none, second)] == ["embedded", None, "sdxl"]


async def test_trainings_elsewhere(store: Store, make_job: MakeJob) -> None:
    """A method that needs more memory is left to others; the base's other jobs are not."""
    for method in ("finetune", "lora"):
        await store.jobs.queue(make_job(base="sdxl", request={"method": method}))
    await store.jobs.queue(make_job(Kind.SAMPLE, base="sdxl"))

    preferred = Preferences(elsewhere=("sdxl finetune",), warm=("sdxl",))
    jobs = [await store.jobs.claim("a", ALL_KINDS, preferred=preferred) for _ in range(3)]

    assert [job and job.request.get("method", job.kind) for job in jobs] == [
        Kind.SAMPLE, "lora", None,
    ]  # fmt: skip


@pytest.mark.parametrize(("waited", "expected"), [(50, ["warm", "cold"]), (70, ["cold", "warm"])])
async def test_warm(store: Store, make_job: MakeJob, waited: float, expected: list[str]) -> None:
    """A base in memory comes first, but before no job that has waited a minute longer."""
    cold = await store.jobs.queue(make_job(base="cold"))
    await store.jobs.queue(make_job(base="warm", request={"base": "warm"}))
    sql = "UPDATE jobs SET created = created - :waited WHERE id = :id"
    await store.jobs._database.execute(sql, waited=waited, id=cold.id)

    claimed = [
        await store.jobs.claim("a", ALL_KINDS, preferred=Preferences(warm=("warm", "other")))
        for _ in expected
    ]

    assert [job and job.base for job in claimed] == expected


async def test_warm_jobs_that_keep_coming(store: Store, make_job: MakeJob) -> None:
    """A job on a cold base waits for those that came within a minute of it, and for no more."""
    jobs = [await store.jobs.queue(make_job(base="cold"))]
    for number in range(9):
        request = {"base": "warm", "steps": number}
        jobs.append(await store.jobs.queue(make_job(base="warm", request=request)))
    for number, job in enumerate(jobs):
        sql = "UPDATE jobs SET created = 1e9 + :after WHERE id = :id"
        await store.jobs._database.execute(sql, after=15 * number, id=job.id)

    bases = []
    for _ in jobs:
        job = await store.jobs.claim("a", ALL_KINDS, preferred=Preferences(warm=("warm",)))
        bases.append(job and job.base)

    assert bases == [*["warm"] * 4, "cold", *["warm"] * 5]


async def test_warm_sample(store: Store, make_job: MakeJob) -> None:
    """A training on a warm base overtakes no sample."""
    await store.jobs.queue(make_job(base="warm"))
    await store.jobs.queue(make_job(Kind.SAMPLE, base="cold"))

    job = await store.jobs.claim("a", ALL_KINDS, preferred=Preferences(warm=("warm",)))

    assert job is not None
    assert job.kind is Kind.SAMPLE
