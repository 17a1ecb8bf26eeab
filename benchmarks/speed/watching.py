"""Measure what watching a training costs: probes, the search for copies, scores of checkpoints.

All shares are of the same run's time, so other load on the machine cancels out. What is done in
every step, the norm of its gradients and a row of numbers, is in the time of the steps.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks import machine, table
from bot.demo.mascot import picture_files
from storage.folders import JobFolder
from storage.planning.plan import plan_training
from storage.records import Catalog, Concept, Dial
from storage.requests import TrainRequest
from training import methods
from training.bases.cache import BaseCache
from training.device import Device
from training.run.defaults import complete_recipe, fill_in_device, rules
from training.run.loop import TrainingRun
from training.run.timing import RunTimer

SHARES = {Dial.QUICK: 2.0, Dial.BALANCED: 10.0, Dial.THOROUGH: 25.0}  #: percent at most
HELD_OUT = 2  #: photos whose loss is measured, too


def measure(place: Path, bases: BaseCache, dial: Dial, *, held_out: bool) -> float:
    """Train by the dial's numbers; return the share of the time that watching took, in percent."""
    base, method = bases.find("embedded"), methods.find("lora")
    catalog = Catalog((base,), (method.METHOD,), rules=tuple(rules("lora", base)))
    files = picture_files() * (2 if held_out else 1)  # photos are held out of twenty
    plan = plan_training(
        catalog,
        method="lora",
        base=base.name,
        dial=dial,
        concept=Concept.SUBJECT,
        photos=len(files),
    )
    request = TrainRequest(
        "lora", base.name, "glim", "glim", Concept.SUBJECT, dial, plan.steps, plan.rank,
        plan.learning_rate, plan.batch_size, 7, "emoji",
    )  # fmt: skip
    folder = JobFolder(place)
    folder.photos.mkdir(parents=True)
    for at, file in enumerate(files):
        (folder.photos / f"{at}.png").write_bytes(file.read_bytes())
    photos = [(f"{at}.png", "a glim emoji") for at in range(len(files))]
    recipe = complete_recipe(request, base, photos)
    if held_out:
        few, rest = recipe.photos[:HELD_OUT], recipe.photos[HELD_OUT:]
        recipe = replace(recipe, photos=rest, validation_photos=few)
    recipe = fill_in_device(recipe, bases)
    timer = RunTimer()
    with bases.borrow(base.name) as family:
        attached = method.attach(family.networks, recipe)
        for _ in TrainingRun(folder, recipe, family, attached, bases, timer=timer).run():
            pass
        attached.detach()
    seconds = sum(timer.parts.get(name, (0.0, 0))[0] for name in ("watching", "scoring"))
    return 100 * seconds / timer.total_seconds()


def rows(place: Path, bases: BaseCache) -> Iterator[table.Row]:
    """Train with each dial, with and without photos whose loss is measured beside."""
    for dial, most in SHARES.items():
        for held_out in (False, True):
            share = measure(place / f"{dial}{held_out}", bases, dial, held_out=held_out)
            beside = ", with held-out photos" if held_out else ""
            yield table.at_most(f"watching a {dial} training{beside}", share, most, "%")


def main() -> int:
    """Print the table."""
    machine.parse_arguments(__doc__ or "")
    torch.set_num_threads(1)
    bases = BaseCache(None, Device.open(cpu=True, threads=1))
    with TemporaryDirectory() as place:
        return table.print_table(rows(Path(place), bases))


if __name__ == "__main__":
    sys.exit(main())
