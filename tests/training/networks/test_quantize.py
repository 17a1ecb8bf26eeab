"""Frozen layers in 4 bits: accurate enough, smaller, and trainable beside."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn

from benchmarks.memory.footprint import Footprint
from tests.fakes.interrupts import train_with_interruption
from training import families, methods
from training.networks.quantize import NF4_BYTES, quantize
from training.run.loop import train

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage.folders import JobFolder
    from training.bases.cache import BaseCache
    from training.recipe.recipe import Recipe

pytest.importorskip("bitsandbytes")
SIDE = 128


def network() -> nn.Sequential:
    """Return two frozen layers with a trained one between them."""
    torch.manual_seed(0)
    made = nn.Sequential(*(nn.Linear(SIDE, SIDE) for _ in range(3))).requires_grad_(False)
    made[1].requires_grad_(True)
    return made


def test_answers() -> None:
    """Outputs and gradients are off by a tenth at most, NF4's error on random weights."""
    exact, rounded = network(), network()
    quantize(rounded)
    given = torch.randn(4, 7, SIDE)
    pairs = []
    for each in (exact, rounded):
        seen = given.clone().requires_grad_()
        out = each(seen)
        (out**2).mean().backward()
        assert seen.grad is not None
        pairs.append((out.detach(), seen.grad, each[1].weight.grad))

    for one, other in zip(*pairs, strict=True):
        off = (one - other).norm() / one.norm()
        assert 0.001 < off < 0.25


def test_smaller() -> None:
    """Frozen layers have the estimated size; trained ones keep precision, all their shape."""
    made = network()
    with Footprint() as footprint:
        footprint.add_all(made.state_dict().values())
        before = footprint.live
        quantize(made)
        saved = before - footprint.live

    assert saved == pytest.approx(2 * SIDE**2 * (4 - NF4_BYTES), rel=0.01)
    assert made[1].weight.untyped_storage().nbytes() == 4 * SIDE**2
    assert [each.weight.shape for each in made] == [(SIDE, SIDE)] * 3  # type: ignore[union-attr]


def test_once() -> None:
    """Quantizing again changes nothing."""
    made, given = network(), torch.randn(2, SIDE)
    quantize(made)
    before = made(given)
    quantize(made)

    assert torch.equal(made(given), before)


@pytest.mark.slow(2)
@pytest.mark.parametrize(
    "method",
    [n for n, m in methods.walk().items() if m.METHOD.ranks[0] and not m.TRAITS.reads_weights],
)
def test_methods(
    bases: BaseCache, make_recipe: Callable[..., Recipe],
    make_job_folder: Callable[..., JobFolder], method: str,
) -> None:  # fmt: skip
    """Adapters train on quantized weights, and resume from a checkpoint."""
    asked = replace(make_recipe(method, steps=2, save_every=1, class_word="dog"), nf4=True)
    folder, stopped = make_job_folder(asked, "whole"), make_job_folder(asked, "stopped")

    assert train_with_interruption(folder, stopped, bases, 1)[-1].kind == "done"

    name = f"{asked.name}.safetensors"
    assert (folder.result / name).read_bytes() == (stopped.result / name).read_bytes()
    assert "embedded" not in bases.loaded


@pytest.mark.slow(2)
@pytest.mark.parametrize("name", families.names())
def test_families(
    tiny_bases: BaseCache, make_recipe: Callable[..., Recipe],
    make_job_folder: Callable[..., JobFolder], run_task: Callable[..., Any], name: str,
) -> None:  # fmt: skip
    """Every family samples and trains with quantized weights."""
    flow = {"min_snr_gamma": 0.0} if name == "zimage" else {}
    asked = replace(
        make_recipe(steps=1, train_text_encoder=False, all_layers=False, **flow),
        base=f"tiny-{name}", nf4=True, resolution=64,
    )  # fmt: skip

    assert run_task(train(make_job_folder(asked), tiny_bases))[-1].kind == "done"
    with tiny_bases.borrow(f"tiny-{name}") as family:
        assert not family.modified
