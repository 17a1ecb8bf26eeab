"""Power cuts: files of a job that are gone, shorter, or zeros at their end."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from typing import TYPE_CHECKING

import pytest

from storage.events import CheckpointSaved, Done, LogEntry, Paused, Progress, Started
from storage.records import Kind, Status
from tests.fakes.jobqueue import ALICE, SCHEDULER
from training.worker.eventlog import EventLog, find_unread, read_entries

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from storage.folders import JobFolder
    from storage.records import Job
    from tests.fakes.jobqueue import QueueKit

pytestmark = pytest.mark.slow(3)


def cut(path: Path, keep: float, *, zeros: bool = False) -> None:
    """Keep a part of a file, with zeros for the rest or nothing."""
    size, kept = path.stat().st_size, round(path.stat().st_size * keep)
    os.truncate(path, kept)
    if zeros:
        os.truncate(path, size)


def newest_checkpoint(folder: JobFolder) -> Path:
    """Return the file of the newest checkpoint."""
    return max(folder.checkpoints.iterdir())


#: what a power cut leaves of a training at step 25, whose events are all in the database
DAMAGES: dict[str, Callable[[JobFolder], object]] = {
    "no events": lambda folder: folder.events_file.unlink(),
    "half the events": lambda folder: cut(folder.events_file, 0.5),
    "zeros for events": lambda folder: cut(folder.events_file, 0.5, zeros=True),
    "most of the events": lambda folder: cut(folder.events_file, 0.99),
    "no request": lambda folder: folder.request_file.unlink(),
    "half a request": lambda folder: cut(folder.request_file, 0.5),
    "an empty request": lambda folder: cut(folder.request_file, 0),
    "no photos": lambda folder: shutil.rmtree(folder.photos),
    "no checkpoints": lambda folder: shutil.rmtree(folder.checkpoints),
    "half a checkpoint": lambda folder: cut(newest_checkpoint(folder), 0.5),
    "zeros for a checkpoint": lambda folder: cut(newest_checkpoint(folder), 0, zeros=True),
    "no folder": lambda folder: shutil.rmtree(folder.path),
}
#: what it leaves of a training that has ended, but is not settled
LATE_DAMAGES: dict[str, Callable[[JobFolder], object]] = {
    "no result": lambda folder: shutil.rmtree(folder.result),
    "half a result": lambda folder: cut(next(folder.result.iterdir()), 0.5),
    "zeros for a result": lambda folder: cut(next(folder.result.iterdir()), 0, zeros=True),
    "half the ending": lambda folder: cut(folder.events_file, 0.995),
}


async def leave_training(queue: QueueKit, *, ended: bool) -> Job:
    """Train to step 25, or to the end that no scheduler settles; then nobody lives any more."""
    queue.hold.touch()
    with queue.running_process(*SCHEDULER) as scheduler:
        job = await queue.add_training(ALICE)
        await queue.wait_for_event(job, Progress, 25)
        scheduler.kill()
    queue.hold.unlink()
    while ended and b'"done"' not in queue.home.job_folder(job.folder).events_file.read_bytes():
        await asyncio.sleep(0.02)
    os.kill(queue.read_handle()["pid"], signal.SIGKILL)
    return job


async def copy_training(queue: QueueKit, left: Job, owner: int, *, copied: bool) -> Job:
    """Add another member's running training with the same files; the events may be copied."""
    await queue.add_training(owner)
    job = await queue.store.jobs.claim("cpu", [Kind.TRAIN])
    folder = queue.home.job_folder(job.folder)
    shutil.copytree(queue.home.job_folder(left.folder).path, folder.path)
    if copied:
        entries, end = read_entries(folder.events_file)
        await queue.store.events.append(job.id, entries, (f"run {job.id}", end))
    return job


async def settle(queue: QueueKit, left: Job, jobs: dict[str, Job]) -> None:
    """Run a scheduler until all are done; each must have its style, with the same bytes."""
    async with queue.running_scheduler():
        for job in (left, *jobs.values()):
            await queue.wait_for(job, Status.DONE)
    whole = queue.read_result(left)
    styles = {name: await queue.store.styles.list_for(job.owner) for name, job in jobs.items()}
    assert {name: len(found) for name, found in styles.items()} == dict.fromkeys(jobs, 1)
    different = [
        n for n, [s] in styles.items() if queue.store.styles.file(s).read_bytes() != whole
    ]
    assert different == []
    for job in jobs.values():
        assert len(await queue.store.events.list_kind(job.id, Done)) == 1


async def test_a_training_goes_on(queue):
    """Whatever is lost in the middle, the job continues from a save or anew, to the same style."""
    left = await leave_training(queue, ended=False)
    jobs = {}
    for owner, (name, damage) in enumerate(DAMAGES.items(), 2000):
        jobs[name] = await copy_training(queue, left, owner, copied=True)
        damage(queue.home.job_folder(jobs[name].folder))

    await settle(queue, left, jobs)


async def test_an_ending_is_only_believed_with_its_file(queue):
    """A training whose ending or result is lost makes it again: never done without a style."""
    left = await leave_training(queue, ended=True)
    jobs = {}
    for owner, (name, damage) in enumerate(LATE_DAMAGES.items(), 2000):
        jobs[name] = await copy_training(queue, left, owner, copied=False)
        damage(queue.home.job_folder(jobs[name].folder))

    await settle(queue, left, jobs)


@pytest.mark.parametrize("zeros", [False, True])
def test_every_byte(tmp_path, zeros):
    """Wherever a log that was read is cut, what the next run writes is read, and nothing twice."""
    path = tmp_path / "events.jsonl"
    journal = EventLog(path)
    for event in (Started(0, 9), Progress(1, 9), CheckpointSaved(1, "ü"), Done(9, file="a")):
        journal.write(LogEntry(event, 1.5))
    content, ending = path.read_bytes(), LogEntry(Paused(2), 2.5, fence=2)

    for kept in range(len(content) + 1):
        path.write_bytes(content[:kept] + bytes(len(content) - kept if zeros else 0))
        offset = find_unread(path, len(content))
        EventLog(path).write(ending)
        assert read_entries(path, offset)[0] == [ending]
