"""Checkpoints are written in a thread: from a copy, one at a time, and a failure loses nothing."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import torch
from torch import nn

from storage.events import Note
from storage.folders import JobFolder
from training.run import checkpoint
from training.run.writer import CheckpointWriter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from training.recipe.recipe import Recipe


def copy_run(step: int, recipe: Recipe, value: float) -> tuple[checkpoint.Snapshot, nn.Parameter]:
    """Return a writer's copy of a run, and the run's one parameter."""
    parameter = nn.Parameter(torch.full((3, 4), value))
    optimizer = torch.optim.AdamW([parameter], 0.1, fused=True)
    return checkpoint.take_snapshot(
        (step, recipe, [0.5], {}), {"a": parameter}, optimizer
    ), parameter


class Held:
    """A copy whose writing waits until it is released."""

    def __init__(self, copy: checkpoint.Snapshot) -> None:
        self.copy, self.step, self.tensors = copy, copy.step, copy.tensors
        self.free = threading.Event()

    def write(self, folder: Path) -> Path:
        """Write after the release."""
        assert self.free.wait(60)
        return self.copy.write(folder)


def test_copy(make_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    """The file has the values of when the write began; each write is reported once, in order."""
    folder = JobFolder(tmp_path)
    with CheckpointWriter(folder, 4, keep_only_newest=False) as saving:
        told = []
        for step in (2, 3):
            copy, parameter = copy_run(step, make_recipe(), float(step))
            told += list(saving.start(copy))
            parameter.data.zero_()
        told += [*saving.finish(), *saving.finish()]

    assert [(event.kind, event.step) for event in told] == [
        ("checkpoint", 2), ("checkpoint", 3),
    ]  # fmt: skip
    assert saving.saved_step == 3
    for step in (2, 3):
        found = checkpoint.read(checkpoint.path_of_step(folder.checkpoints, step))
        assert torch.equal(found.tensors["weight.a"], torch.full((3, 4), float(step)))
    assert (folder.samples / told[0].curve).exists()


def test_alone(make_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    """Of large checkpoints only the newest stays."""
    folder = JobFolder(tmp_path)
    with CheckpointWriter(folder, 4, keep_only_newest=True) as saving:
        for step in (2, 3):
            list(saving.start(copy_run(step, make_recipe(), 1.0)[0]))

    assert [path.name for path in folder.checkpoints.iterdir()] == ["step-000003.safetensors"]


def test_lost(make_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    """A hanging write blocks nothing and keeps the old file; its failure is only reported."""
    folder = JobFolder(tmp_path)
    with CheckpointWriter(folder, 9, keep_only_newest=False) as saving:
        list(saving.start(copy_run(2, make_recipe(), 1.0)[0]))
        list(saving.finish())
        checkpoint.path_of_step(folder.checkpoints, 3).mkdir()  # no file can take its name
        held = Held(copy_run(3, make_recipe(), 1.0)[0])

        begun = list(saving.start(held))
        meanwhile = (
            list(saving.report()),
            checkpoint.read_newest(folder.checkpoints, make_recipe()),
        )
        held.free.set()
        ended = list(saving.finish())
        after = [*saving.start(copy_run(4, make_recipe(), 1.0)[0]), *saving.finish()]

    assert begun == meanwhile[0] == []
    assert meanwhile[1] is not None
    assert meanwhile[1].step == 2
    assert ended == [Note("checkpoint_lost", {"step": 3})]
    assert [event.kind for event in after] == ["checkpoint"]
    assert saving.saved_step == 4
