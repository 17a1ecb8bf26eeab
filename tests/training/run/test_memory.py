"""Memory fallbacks: chosen by the estimate before the job, or when memory runs out."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors import safe_open

from benchmarks.memory.footprint import Footprint
from storage.errors import JobError
from tests.fakes.gpu import FakeGpu
from tests.fakes.interrupts import train_with_interruption
from training.networks.memory import MemoryCounts
from training.recipe.limits import MEMORY_FALLBACKS
from training.recipe.recipe import MemoryFallback
from training.run import memory
from training.run.loop import train

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from storage.events import Event
    from storage.folders import JobFolder
    from training.bases.cache import BaseCache
    from training.recipe.recipe import Recipe

    Laid = Callable[..., JobFolder]
    Made = Callable[..., Recipe]
    Told = Callable[[Iterator[Event]], list[Event]]

KEEPS = MemoryCounts(
    1 << 29, 1 << 28, 1 << 20, attention=1_600_000, every=2_000_000, frugal=400_000, seen=9000
)


def names(recipe: Recipe) -> list[str]:
    """Return the names of the fallbacks taken."""
    return [fallback.name for fallback in recipe.memory_fallbacks]


def descent(recipe: Recipe) -> list[str]:
    """Take every fallback in turn."""
    while (below := memory.add_fallback(recipe, 0)) is not None:
        recipe = below
    return names(recipe)


def test_order(make_recipe: Made) -> None:
    """Fallbacks that only cost time come first, then optimizer precision, batch, base weights."""
    assert descent(make_recipe(rank=4, batch_size=4)) == [
        "gradient_checkpointing",
        "accumulate",
        "accumulate",
        "nf4",
    ]
    assert descent(make_recipe("finetune", batch_size=2, ema_decay=0.9)) == [
        "gradient_checkpointing", "adamw_8bit", "accumulate", "no_ema", "adafactor",
    ]  # fmt: skip
    assert tuple(memory.FALLBACKS) == MEMORY_FALLBACKS
    assert descent(make_recipe("dora", batch_size=3, gradient_checkpointing=True)) == []


def test_foot(make_recipe: Made) -> None:
    """When no fallback is left the job fails with the code of full memory."""
    with pytest.raises(JobError, match="memory_full"):
        memory.fall_back(make_recipe(batch_size=1, gradient_checkpointing=True, nf4=True), 0)


def test_only_from_the_start(make_recipe: Made) -> None:
    """A fallback that changes the optimizer's state or EMA cannot be taken on resume."""
    asked = make_recipe("finetune", batch_size=2, ema_decay=0.9, gradient_checkpointing=True)

    assert names(memory.fall_back(asked, 0)) == ["adamw_8bit"]
    assert names(memory.fall_back(asked, 25)) == ["accumulate"]
    assert memory.add_fallback(replace(asked, batch_size=1), 25) is None


def test_at(make_recipe: Made) -> None:
    """A fallback holds from its step on."""
    asked = make_recipe(
        batch_size=4,
        memory_fallbacks=(
            MemoryFallback(0, "gradient_checkpointing"),
            MemoryFallback(50, "accumulate"),
        ),
    )

    before, after = memory.recipe_at(asked, 49), memory.recipe_at(asked, 50)

    assert (before.gradient_checkpointing, before.gradient_accumulation_steps) == (True, 1)
    assert (after.gradient_checkpointing, after.gradient_accumulation_steps) == (True, 2)


@pytest.mark.parametrize(
    ("limit_mib", "fallbacks"),
    [
        (0, []),
        (80_000, []),
        (3500, ["gradient_checkpointing"]),
        (2700, ["gradient_checkpointing", "accumulate"]),
        (2150, ["gradient_checkpointing", "accumulate", "accumulate", "nf4"]),
    ],
)
def test_fit(make_recipe: Made, limit_mib: int, fallbacks: list[str]) -> None:
    """Before the job as many fallbacks are taken as the estimate needs; 0 is no limit."""
    asked = make_recipe(batch_size=4, resolution=256, all_layers=False, train_text_encoder=False)

    assert names(memory.fit(asked, KEEPS, 1 << 20, limit_mib)) == fallbacks


def test_chosen_before(tiny_bases: BaseCache, make_recipe: Made) -> None:
    """A recipe is fitted to a small GPU; on a CPU it stays."""
    asked = replace(make_recipe(batch_size=4), base="tiny-sd1", resolution=512, all_layers=False)
    card = FakeGpu(tiny_bases.device, 4000)
    parameters = {"a": torch.zeros(10)}

    plain = memory.fit_to_device(asked, parameters, tiny_bases)
    tiny_bases._device, before = card, tiny_bases._device
    fitted = memory.fit_to_device(asked, parameters, tiny_bases)
    tiny_bases._device = before

    assert names(plain) == []
    assert names(fitted) == ["gradient_checkpointing"]


def test_reach() -> None:
    """More memory allows more families, and whole networks last."""
    least, small, middle, large = map(memory.list_trainable_families, (4096, 8192, 24_576, 80_000))

    assert "sd1" in least["lora"]
    assert small == {"lora": ["sd1", "sd2", "sdxl"], "finetune": ["sd1"]}
    assert middle["finetune"] == ["sd1", "sd2", "sdxl"]
    assert set(large["lora"]) == {"sd1", "sd2", "sdxl", "zimage"}
    assert set(large["finetune"]) >= {"sd1", "sd2", "sdxl"}


MIB = 2**20
TIGHT = 30 * MIB  #: too little for a plain step of four photos, enough with gradient checkpointing
SCANT = MIB  #: too little even with it for one photo, enough beside an NF4 base


def drive(folder: JobFolder, bases: BaseCache, *, most: int, since: int = 0) -> list[Event]:
    """Train while memory allows only so much from a step on."""
    told: list[Event] = []
    with bases.borrow("embedded") as family:
        networks = [*family.full_precision_networks().values()]
    with Footprint() as footprint:
        footprint.add_all(tensor for each in networks for tensor in each.state_dict().values())
        for event in train(folder, bases):
            if event.kind == "step" and event.step == since and not footprint.limit:
                footprint.limit = footprint.live + most
            told += [] if event.kind in {"step", "progress"} else [event]
    return told


def result(folder: JobFolder) -> bytes:
    """Return the bytes of the result."""
    return (folder.result / "mydog.safetensors").read_bytes()


@pytest.mark.slow(3)
@pytest.mark.parametrize("since", [0, 3])
def test_memory_runs_out(
    bases: BaseCache, make_recipe: Made, make_job_folder: Laid, run_task: Told, since: int
) -> None:
    """A run out of memory restarts at its checkpoint with a fallback, and can be replayed."""
    asked = make_recipe(batch_size=4, steps=since + 1, all_layers=False, resolution=64)
    tight = make_job_folder(asked, "tight")
    back = since // 2 * 2

    told = drive(tight, bases, most=TIGHT, since=since)
    again = make_job_folder(
        replace(asked, memory_fallbacks=(MemoryFallback(back, "gradient_checkpointing"),)), "again"
    )
    run_task(train(again, bases))

    begun = [(each.kind, getattr(each, "step", getattr(each, "code", None))) for each in told]
    at = begun.index(("note", "memory"))
    assert begun[at - 1] == ("started", back)
    assert told[-1].kind == "done"
    with safe_open(tight.result / "mydog.safetensors", "pt") as opened:
        known = json.loads(opened.metadata()["safelight.recipe"])
    assert known["memory_fallbacks"] == [{"step": back, "name": "gradient_checkpointing"}]
    assert result(tight) == result(again)


def test_nothing_fits(bases: BaseCache, make_recipe: Made, make_job_folder: Laid) -> None:
    """If the last fallback needs too much, the job fails and the base is unchanged."""
    foot = replace(
        make_recipe(
            batch_size=1,
            gradient_checkpointing=True,
            all_layers=False,
            train_text_encoder=False,
            resolution=64,
        ),
        nf4=True,
    )
    folder = make_job_folder(foot)

    with pytest.raises(JobError, match="memory_full"):
        drive(folder, bases, most=MIB)
    with bases.borrow("embedded") as family:
        assert family.networks.attached is None


@pytest.mark.slow(3)
def test_no_other_memory(tiny_bases: BaseCache, make_recipe: Made, make_job_folder: Laid) -> None:
    """Host memory lent by the driver does not count: every fallback is taken."""
    folder = make_job_folder(
        replace(
            make_recipe(batch_size=2, all_layers=False, train_text_encoder=False),
            base="tiny-sd1",
            resolution=64,
        )
    )
    tiny_bases._device, before = (
        FakeGpu(tiny_bases.device, 100_000, held=100_001),
        tiny_bases._device,
    )
    told: list[Event] = []
    tiny_bases.unload_idle()

    try:
        with pytest.raises(JobError, match="memory_full"):
            told.extend(train(folder, tiny_bases))
    finally:
        tiny_bases._device = before

    notes = [each.code for each in told if each.kind == "note"]
    assert notes == ["memory"] * 3
    assert [each.step for each in told if each.kind == "step"] == [0] * 4


@pytest.mark.slow(2)
def test_parts(bases: BaseCache, make_recipe: Made, make_job_folder: Laid) -> None:
    """Each part of a split batch seeds its own draws, so that a resumed run draws the same."""
    asked = make_recipe(
        batch_size=4,
        gradient_accumulation_steps=2,
        caption_dropout_rate=0.5,
        steps=3,
        all_layers=False,
        save_every=1,
    )
    whole, stopped = make_job_folder(asked, "whole"), make_job_folder(asked, "stopped")

    train_with_interruption(whole, stopped, bases, 2)

    assert result(whole) == result(stopped)


@pytest.mark.slow(3)
def test_last_rung(
    bases: BaseCache, make_recipe: Made, make_job_folder: Laid, run_task: Told
) -> None:
    """As a last resort the base is quantized, and loaded again for later jobs."""
    asked = make_recipe(
        batch_size=1,
        steps=2,
        resolution=64,
        gradient_checkpointing=True,
        all_layers=False,
        train_text_encoder=False,
        save_every=1,
    )
    tight = make_job_folder(asked, "tight")

    told = drive(tight, bases, most=SCANT, since=1)
    left = list(bases.loaded)
    again = make_job_folder(replace(asked, memory_fallbacks=(MemoryFallback(1, "nf4"),)), "again")
    run_task(train(again, bases))
    plain = make_job_folder(asked, "plain")
    run_task(train(plain, bases))

    assert [each.code for each in told if each.kind == "note"] == ["memory"]
    assert told[-1].kind == "done"
    assert left == []
    assert result(tight) == result(again) != result(plain)
