"""The execution of one job in the worker."""

from __future__ import annotations

import errno
import logging

import pytest

from storage.errors import JobError
from storage.events import (
    Cancelled,
    CheckpointSaved,
    Done,
    Note,
    Paused,
    Progress,
    Started,
    StepBoundary,
)
from storage.folders import JobFolder
from storage.records import JobCommand, Kind
from training.worker.eventlog import read_entries
from training.worker.execution import Execution
from training.worker.inbox import Command, Request


def steps(count=3):
    """Yield a training's events."""
    yield Started(0, 3)
    for step in range(count):
        command = yield StepBoundary(step)
        if command is JobCommand.PAUSE:
            yield CheckpointSaved(step)
            yield Paused(step)
            return
        yield Progress(step + 1, count)
    yield Done()


@pytest.fixture
def run(tmp_path):
    """Return a function that starts runs, all under fence 4."""

    def begin(task, kind=Kind.TRAIN):
        tmp_path.joinpath("job").mkdir(exist_ok=True)
        return Execution(Request(Command.RUN, 1, 4), JobFolder(tmp_path / "job"), task, kind)

    return begin


def finish(run):
    """Drive a run to its end and return the events that were written."""
    return [entry.event for entry in finish_log(run)]


def finish_log(run):
    """Drive a run to its end and return the lines that were written."""
    while not run.ended:
        run.advance()
    return read_entries(run.folder.events_file)[0]


def test_boundaries_are_not_written(run):
    """Everything but step boundaries is written, and the end has the fence."""
    written = finish_log(run(steps(2)))

    kinds = [type(entry.event) for entry in written]
    assert kinds == [Started, Progress, Progress, Done]
    assert [entry.fence for entry in written] == [0, 0, 0, 4]


def test_the_ending_outlives_a_power_cut(run, disk_calls):
    """Names of results are on the disk before the ending tells of them, and then that is, too."""
    execution = run(steps())
    execution.folder.result.mkdir()
    finish(execution)

    assert disk_calls == ["fsync result", "fsync events.jsonl"]


def test_a_wish_waits_for_a_boundary(run):
    """A pause is sent once, at a boundary."""
    begun = run(steps())
    begun.receive_command(JobCommand.PAUSE)

    assert finish(begun)[-1] == Paused(0)


def test_cancel_closes_at_once(run):
    """A cancel does not wait for a boundary, and the task can clean up."""
    closed = []

    def encoding():
        try:
            while True:
                yield Note("encoding")
        finally:
            closed.append(True)

    begun = run(encoding())
    begun.advance()
    begun.receive_command(JobCommand.CANCEL)

    assert finish(begun)[-1] == Cancelled(0)
    assert closed == [True]


def test_a_short_job_is_not_paused(run):
    """Only a training can be paused or finished early."""
    begun = run(steps(1), Kind.SAMPLE)
    begun.receive_command(JobCommand.PAUSE)

    assert finish(begun)[-1] == Done()


@pytest.mark.parametrize(
    ("kind", "advances"), [(Kind.TRAIN, 5), (Kind.TRAIN, 0), (Kind.SAMPLE, 1)]
)
def test_put_down_is_not_paused_by_a_member(run, kind, advances):
    """A job stopped because the worker exits says so."""
    begun = run(steps(), kind)
    for _ in range(advances):
        begun.advance()
    begun.put_down()
    begun.put_down()

    *before, ended = finish_log(begun)
    assert (ended.event.kind, ended.event.leaving, ended.fence) == ("paused", True, 4)
    kinds = [entry.event.kind for entry in before]
    assert ("checkpoint" in kinds) is (advances == 5)


def raising(error):
    """Yield nothing and fail."""
    yield Started(0, 3)
    raise error


class AcceleratorError(RuntimeError):
    """Stands in for torch's error of the same name."""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (JobError("loss_nan", step=3), "loss_nan"),
        (OSError(28, "full"), "disk_full"),
        (MemoryError(), "memory_full"),
        (ValueError("secret"), "bug"),
    ],
)
def test_a_failure_is_told_by_its_code(run, error, code):
    """A foreseen error has its code and facts; a bug only a reference."""
    _, failed = finish(run(raising(error)))

    assert failed.code == code
    assert "secret" not in str(failed)
    assert bool(failed.reference) is (code == "bug")


def test_a_bug_is_in_the_log(run):
    """The job's log has the traceback under the reference."""
    begun = run(raising(ValueError("why")))
    reference = finish(begun)[-1].reference

    log = begun.folder.log_file.read_text()
    assert reference in log
    assert "ValueError: why" in log


def test_a_lost_device_is_not_the_jobs_fault(run):
    """The worker exits, so that another one retries the job."""
    begun = run(raising(AcceleratorError("device-side assert")))
    begun.advance()

    with pytest.raises(AcceleratorError):
        begun.advance()
    assert not begun.ended


def test_a_task_that_says_nothing_failed(run):
    """A run without a final event ends as failed."""
    assert finish(run(iter(())))[-1].code == "bug"


def test_only_its_own_lines_are_in_its_log(run):
    """Only messages logged while the task runs are in the job's log."""

    def talking():
        logging.getLogger("task").warning("mine")
        yield Started(0, 3)

    begun = run(talking())
    begun.advance()
    logging.getLogger("task").warning("other")

    log = begun.folder.log_file.read_text()
    assert "mine" in log
    assert "other" not in log


def logging_steps():
    """Yield a training's events, and log a line before its end."""
    yield Started(0, 1)
    logging.getLogger("a task").warning("x" * 10_000)
    yield Done()


def test_full_disk(small_disk):
    """On a full disk a job's log loses lines and nothing else; its events wait for room."""
    folder = JobFolder(small_disk.path / "job")
    folder.path.mkdir()
    begun = Execution(Request(Command.RUN, 1, 4), folder, logging_steps(), Kind.SAMPLE)
    small_disk.fill()
    for _ in range(5):
        begun.advance()
    waiting = (begun.task_ended, begun.ended, read_entries(folder.events_file)[0])
    small_disk.free()

    assert waiting == (True, False, [])
    assert finish(begun) == [Started(0, 1), Done()]


def test_no_room(run):
    """A run that finds no room says how much was free, so that its next try waits for more."""
    (*_, failed) = finish(run(raising(OSError(errno.ENOSPC, "No space left on device"))))

    assert failed.code == "disk_full"
    assert failed.facts["free"] > 0
