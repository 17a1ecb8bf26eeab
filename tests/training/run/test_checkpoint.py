"""Checkpoints are exact, complete, and belong to one recipe."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from training.run import checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from training.recipe.recipe import Recipe


def trained() -> tuple[dict[str, nn.Parameter], torch.optim.Optimizer]:
    """Take three steps with two parameters."""
    torch.manual_seed(0)
    parameters = {name: nn.Parameter(torch.randn(3, 4)) for name in ("a.x", "b")}
    optimizer = torch.optim.AdamW(parameters.values(), 0.1, fused=True)
    for _ in range(3):
        steps(parameters, optimizer)
    return parameters, optimizer


def steps(parameters: dict[str, nn.Parameter], optimizer: torch.optim.Optimizer) -> None:
    """Take a step."""
    sum(p.sin().sum() for p in parameters.values()).backward()  # type: ignore[union-attr]
    optimizer.step()
    optimizer.zero_grad()


def test_exact(make_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    """A resumed run equals one without an interruption."""
    parameters, optimizer = trained()
    checkpoint.take_snapshot((3, make_recipe(), [0.5, 0.25], {}), parameters, optimizer).write(
        tmp_path
    )
    found = checkpoint.read_newest(tmp_path, make_recipe())
    copies = {name: nn.Parameter(torch.zeros(3, 4)) for name in parameters}
    other = torch.optim.AdamW(copies.values(), 0.1, fused=True)

    assert found is not None
    found.restore(copies, other)
    steps(parameters, optimizer)
    steps(copies, other)

    assert all(torch.equal(parameters[name], copies[name]) for name in parameters)
    assert (found.step, found.losses, found.recipe) == (3, [0.5, 0.25], make_recipe())


def test_newest(make_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    """The newest complete checkpoint is used; damaged and half-written ones are ignored."""
    parameters, optimizer = trained()
    for step in (2, 10, 4):
        checkpoint.take_snapshot((step, make_recipe(), [], {}), parameters, optimizer).write(
            tmp_path
        )
    checkpoint.path_of_step(tmp_path, 10).write_bytes(b"half")
    (tmp_path / ".step-000099.safetensors.1.part").write_bytes(b"half")

    found = checkpoint.read_newest(tmp_path, make_recipe())

    assert found is not None
    assert found.step == 4


def test_same_recipe(make_recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    """Another recipe's checkpoint is ignored; settings chosen by the worker do not matter."""
    parameters, optimizer = trained()
    chosen = replace(
        make_recipe(), precision="fp32", base_fingerprint="f00", family="sd1", threads=2
    )
    checkpoint.take_snapshot((2, chosen, [], {}), parameters, optimizer).write(tmp_path)

    assert checkpoint.read_newest(tmp_path, replace(make_recipe(), learning_rate=0.001)) is None
    found = checkpoint.read_newest(tmp_path, make_recipe())
    assert found is not None
    assert found.recipe == chosen


@pytest.mark.parametrize("zeros", [False, True])
def test_cut_off(make_recipe: Callable[..., Recipe], tmp_path: Path, zeros: bool) -> None:
    """Wherever a checkpoint is cut off, the one before it is used, also with zeros."""
    parameters, optimizer = trained()
    for step in (3, 6):
        state = (step, make_recipe(), [0.5] * step, {})
        path = checkpoint.take_snapshot(state, parameters, optimizer).write(tmp_path)
    content = path.read_bytes()
    header = 8 + int.from_bytes(content[:8], "little")

    for kept in range(0, header if zeros else len(content), 29):
        path.write_bytes(content[:kept] + bytes(len(content) - kept if zeros else 0))
        found = checkpoint.read_newest(tmp_path, make_recipe())
        assert found is not None
        assert found.step == 3
