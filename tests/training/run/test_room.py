"""A run that finds the disk full keeps what it has learnt until there is room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.events import Cancelled, Done, Note, StepBoundary
from storage.records import JobCommand
from training.run.loop import train
from training.run.room import write_when_room

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from storage.events import Event
    from storage.folders import JobFolder
    from tests.fakes.smalldisk import SmallDisk
    from training.bases.cache import BaseCache
    from training.recipe.recipe import Recipe


def boundary(step: int) -> Iterator[Event]:
    """Let other jobs be served; return the command that came."""
    return (yield StepBoundary(step))


@pytest.mark.parametrize("command", [JobCommand.CANCEL, JobCommand.FINISH])
def test_command(small_disk: SmallDisk, command: JobCommand) -> None:
    """While it waits, a cancel is obeyed at once; another command is kept until there is room."""
    small_disk.fill()
    writing = write_when_room(
        small_disk.path, lambda: (small_disk.path / "x").write_bytes(b"x"), boundary, 3
    )
    told = [next(writing), next(writing), writing.send(command)]
    small_disk.free()

    assert told[:2] == [Note("disk_full"), StepBoundary(3)]
    if command is JobCommand.CANCEL:
        assert told[2] == Cancelled(3)
        return
    with pytest.raises(StopIteration) as ended:
        next(writing)
    assert ended.value.value == (1, command)


def test_other_errors(small_disk: SmallDisk) -> None:
    """Any other error is not waited out."""
    missing = small_disk.path / "missing" / "x"

    with pytest.raises(FileNotFoundError):
        next(write_when_room(small_disk.path, lambda: missing.write_bytes(b"x"), boundary, 3))


@pytest.mark.slow(4)
def test_same_bytes(
    small_disk: SmallDisk,
    make_recipe: Callable[..., Recipe],
    make_job_folder: Callable[..., JobFolder],
    bases: BaseCache,
) -> None:
    """A run that waits to write its file says so once, and ends in the same bytes."""
    recipe = make_recipe(steps=2)
    (undisturbed,) = [e for e in train(make_job_folder(recipe), bases) if isinstance(e, Done)]
    told = []
    for event in train(make_job_folder(recipe, "disk/job"), bases):
        told.append(event)
        if event == StepBoundary(1):
            small_disk.fill()
        elif event == Note("disk_full"):
            small_disk.free()

    (done,) = [event for event in told if isinstance(event, Done)]
    assert done.digest == undisturbed.digest
    assert told.count(Note("disk_full")) == 1
