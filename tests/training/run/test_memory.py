"""What is given up for memory: before the job by the estimate, on the way when it has run out."""

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
from training.networks.memory import Keeps
from training.recipe.limits import RUNGS
from training.recipe.recipe import Rung
from training.run import memory
from training.run.loop import train

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from storage.folders import JobFolder
    from storage.records import Event
    from training.bases.registry import Bases
    from training.recipe.recipe import Recipe

    Laid = Callable[..., JobFolder]
    Made = Callable[..., Recipe]
    Told = Callable[[Iterator[Event]], list[Event]]

KEEPS = Keeps(
    1 << 29, 1 << 28, 1 << 20, attention=1_600_000, every=2_000_000, frugal=400_000, seen=9000
)


def names(recipe: Recipe) -> list[str]:
    """Name the rungs that were taken."""
    return [rung.name for rung in recipe.rungs]


def descent(recipe: Recipe) -> list[str]:
    """Go down to the foot."""
    while (below := memory.lower(recipe, 0)) is not None:
        recipe = below
    return names(recipe)


def test_order(make_recipe: Made) -> None:
    """First what costs time alone, then an optimizer's precision, a batch, the base's numbers."""
    assert descent(make_recipe(rank=4, batch=4)) == ["frugal", "parted", "parted", "quantised"]
    assert descent(make_recipe("finetune", batch=2, ema=0.9)) == [
        "frugal", "bytewise", "parted", "unaveraged", "factored",
    ]  # fmt: skip
    assert tuple(memory.RUNGS) == RUNGS
    assert descent(make_recipe("dora", batch=3, frugal=True)) == []


def test_foot(make_recipe: Made) -> None:
    """At the foot of the ladder the owner is told that memory has run out."""
    with pytest.raises(JobError, match="memory_full"):
        memory.down(make_recipe(batch=1, frugal=True, quantised=True), 0)


def test_only_from_the_start(make_recipe: Made) -> None:
    """An optimizer cannot go on with moments that were kept otherwise, or forget its average."""
    asked = make_recipe("finetune", batch=2, ema=0.9, frugal=True)

    assert names(memory.down(asked, 0)) == ["bytewise"]
    assert names(memory.down(asked, 25)) == ["parted"]
    assert memory.lower(replace(asked, batch=1), 25) is None


def test_at(make_recipe: Made) -> None:
    """A rung holds from its step on."""
    asked = make_recipe(batch=4, rungs=(Rung(0, "frugal"), Rung(50, "parted")))

    before, after = memory.at(asked, 49), memory.at(asked, 50)

    assert (before.frugal, before.parts) == (True, 1)
    assert (after.frugal, after.parts) == (True, 2)


@pytest.mark.parametrize(
    ("room", "rungs"),
    [
        (0, []),
        (80_000, []),
        (3500, ["frugal"]),
        (2700, ["frugal", "parted"]),
        (2150, ["frugal", "parted", "parted", "quantised"]),
    ],
)
def test_fitting(make_recipe: Made, room: int, rungs: list[str]) -> None:
    """Before the job as many rungs are taken as the estimate asks for; no room at all is any."""
    asked = make_recipe(batch=4, resolution=256, wide=False, text=False)

    assert names(memory.fitting(asked, KEEPS, 1 << 20, room)) == rungs


def test_chosen_before(tiny_bases: Bases, make_recipe: Made) -> None:
    """A GPU that is too small for the plain way gets a recipe that fits; a processor any."""
    asked = replace(make_recipe(batch=4), base="tiny-sd1", resolution=512, wide=False)
    card = FakeGpu(tiny_bases.device, 4000)
    parameters = {"a": torch.zeros(10)}

    plain = memory.begun(asked, parameters, tiny_bases)
    tiny_bases.opened, before = card, tiny_bases.opened
    fitted = memory.begun(asked, parameters, tiny_bases)
    tiny_bases.opened = before

    assert names(plain) == []
    assert names(fitted) == ["frugal"]


def test_reach() -> None:
    """More memory reaches more families, and whole networks last."""
    least, small, middle, large = map(memory.reach, (4096, 8192, 24_576, 80_000))

    assert "sd1" in least["lora"]
    assert small == {"lora": ["sd1", "sd2", "sdxl"], "finetune": ["sd1"]}
    assert middle["finetune"] == ["sd1", "sd2", "sdxl"]
    assert set(large["lora"]) == {"sd1", "sd2", "sdxl", "zimage"}
    assert set(large["finetune"]) >= {"sd1", "sd2", "sdxl"}


MIB = 2**20
TIGHT = 30 * MIB  #: too little for a plain step of four photos, enough for a frugal one
SCANT = MIB  #: too little for even a frugal step of one photo, enough beside a rounded base


def drive(folder: JobFolder, bases: Bases, *, most: int, since: int = 0) -> list[Event]:
    """Train where memory for so much is left from a step on."""
    told: list[Event] = []
    with bases.family("embedded") as family:
        networks = [*family.exact().values()]
    with Footprint() as footprint:
        footprint.hold(tensor for each in networks for tensor in each.state_dict().values())
        for event in train(folder, bases):
            if event.kind == "step" and event.facts["step"] == since and not footprint.most:
                footprint.most = footprint.live + most
            told += [] if event.kind in {"step", "progress"} else [event]
    return told


def result(folder: JobFolder) -> bytes:
    """Read the file that came out."""
    return (folder.result / "mydog.safetensors").read_bytes()


@pytest.mark.parametrize("since", [0, 3])
def test_memory_runs_out(
    bases: Bases, make_recipe: Made, make_job_folder: Laid, run_task: Told, since: int
) -> None:
    """It goes on from its checkpoint, a rung lower, says so, and can be replayed byte for byte."""
    asked = make_recipe(batch=4, steps=since + 1, wide=False)
    tight = make_job_folder(asked, "tight")
    back = since // 2 * 2

    told = drive(tight, bases, most=TIGHT, since=since)
    again = make_job_folder(replace(asked, rungs=(Rung(back, "frugal"),)), "again")
    run_task(train(again, bases))

    begun = [(each.kind, each.facts.get("step", each.facts.get("code"))) for each in told]
    at = begun.index(("note", "memory"))
    assert begun[at - 1] == ("started", back)
    assert told[-1].kind == "done"
    with safe_open(tight.result / "mydog.safetensors", "pt") as opened:
        known = json.loads(opened.metadata()["safelight.recipe"])
    assert known["rungs"] == [{"step": back, "name": "frugal"}]
    assert result(tight) == result(again)


def test_nothing_fits(bases: Bases, make_recipe: Made, make_job_folder: Laid) -> None:
    """Where even the last rung is too much, the job ends with a sentence, the base unharmed."""
    foot = replace(make_recipe(batch=1, frugal=True, wide=False, text=False), quantised=True)
    folder = make_job_folder(foot)

    with pytest.raises(JobError, match="memory_full"):
        drive(folder, bases, most=MIB)
    with bases.family("embedded") as family:
        assert family.networks.attached is None


def test_no_other_memory(tiny_bases: Bases, make_recipe: Made, make_job_folder: Laid) -> None:
    """What a driver lends of the computer's memory is not used: a rung lower, down to the foot."""
    folder = make_job_folder(
        replace(make_recipe(batch=2, wide=False, text=False), base="tiny-sd1", resolution=64)
    )
    tiny_bases.opened, before = (
        FakeGpu(tiny_bases.device, 100_000, held=100_001),
        tiny_bases.opened,
    )
    told: list[Event] = []
    tiny_bases.release()

    try:
        with pytest.raises(JobError, match="memory_full"):
            told.extend(train(folder, tiny_bases))
    finally:
        tiny_bases.opened = before

    notes = [each.facts["code"] for each in told if each.kind == "note"]
    assert notes == ["memory"] * 3
    assert [each.facts["step"] for each in told if each.kind == "step"] == [0] * 4


def test_parts(bases: Bases, make_recipe: Made, make_job_folder: Laid) -> None:
    """Each part draws by its own number, so that a batch in parts can be gone on with."""
    asked = make_recipe(batch=4, parts=2, silence=0.5, steps=3, wide=False, every=1)
    whole, stopped = make_job_folder(asked, "whole"), make_job_folder(asked, "stopped")

    train_with_interruption(whole, stopped, bases, 2)

    assert result(whole) == result(stopped)


def test_last_rung(bases: Bases, make_recipe: Made, make_job_folder: Laid, run_task: Told) -> None:
    """Where nothing else helps the base is rounded, and read anew by whoever comes after."""
    asked = make_recipe(batch=1, steps=2, frugal=True, wide=False, text=False, every=1)
    tight = make_job_folder(asked, "tight")

    told = drive(tight, bases, most=SCANT, since=1)
    left = list(bases.resident)
    again = make_job_folder(replace(asked, rungs=(Rung(1, "quantised"),)), "again")
    run_task(train(again, bases))
    plain = make_job_folder(asked, "plain")
    run_task(train(plain, bases))

    assert [each.facts["code"] for each in told if each.kind == "note"] == ["memory"]
    assert told[-1].kind == "done"
    assert left == []
    assert result(tight) == result(again) != result(plain)
