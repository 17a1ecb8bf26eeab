"""The sweep that looks for a learning rate."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import torch
from PIL import Image

from storage.errors import JobError
from storage.events import Event, RateFound
from storage.folders import JobFolder
from storage.records import JobCommand, Optimizer
from training.bases.cache import BaseCache
from training.run.loop import train
from training.run.rate_finder import (
    MIN_SWEEP_STEPS,
    SPAN,
    SWEEP_STEPS,
    RateFinder,
    Sweep,
    list_rates,
)
from training.run.step import MicroBatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from training.recipe.recipe import Recipe

    Laid = Callable[..., JobFolder]
    Made = Callable[..., Recipe]
    Told = Callable[[Iterator[Event]], list[Event]]


def result(folder: JobFolder) -> bytes:
    """Return the bytes of the result."""
    return (folder.result / "mydog.safetensors").read_bytes()


def curve(rates: list[float], steepest: float, fall: float = 0.5) -> Sweep:
    """Return a sweep whose loss falls fastest at a rate, by so much in all, and rises later."""
    losses = []
    for rate in rates:
        factor = rate / steepest
        losses.append(1 - fall / (1 + factor**-3) + fall * (factor / 40) ** 2)
    return Sweep(1.0, rates, losses)


@pytest.mark.parametrize("steepest", [1e-4, 3e-4, 1e-3])
def test_most_of_the_fall(make_recipe: Made, steepest: float) -> None:
    """The rate lies behind the steepest descent, before the least loss, and has two digits."""
    sweep = curve(list_rates(make_recipe(steps=400, learning_rate=1e-3)), steepest)
    least = sweep.rates[[*sweep.losses].index(min(sweep.losses))]

    assert steepest < sweep.rate < least
    assert sweep.rate == float(f"{sweep.rate:.2g}")


def test_nothing_to_see(make_recipe: Made) -> None:
    """A loss that hardly falls, or only rises, names no rate; short runs have short sweeps."""
    rates = list_rates(make_recipe(steps=400, learning_rate=1e-3))

    assert curve(rates, 1e-3, fall=0.01).rate == 0
    assert Sweep(1.0, rates[:3], (1.1, 1.5, 3.9)).rate == 0
    assert (len(rates), rates[0], rates[-1]) == (
        SWEEP_STEPS, pytest.approx(1e-3 / SPAN), pytest.approx(1e-3 * SPAN),
    )  # fmt: skip
    assert len(list_rates(make_recipe(steps=4, learning_rate=1e-3))) == MIN_SWEEP_STEPS


@pytest.mark.slow(4)
def test_bytes(bases: BaseCache, make_recipe: Made, make_job_folder: Laid, run_task: Told) -> None:
    """A run that found its rate has the bytes of one that was given it, header and all.

    So has one that was paused within the sweep, and once more after a checkpoint.
    """
    more = {"dropout": 0.2, "learning_rate": 1e-3, "batch_size": 2, "train_text_encoder": False}
    asked = make_recipe(find_learning_rate=True, photos=1, steps=3, **more)
    folder, paused = make_job_folder(asked), make_job_folder(asked, "paused")

    events = run_task(train(folder, bases))
    (found,) = [event for event in events if isinstance(event, RateFound)]
    given = replace(asked, find_learning_rate=False, learning_rate=found.learning_rate)
    by_hand = make_job_folder(given, "given")
    run_task(train(by_hand, bases))

    task = train(paused, bases)
    while next(task).kind != "step":
        pass
    next(task)
    assert task.send(JobCommand.PAUSE).kind == "checkpoint"
    task.close()
    for event in (task := train(paused, bases)):
        if event.kind == "step" and event.step == 2:
            break
    task.close()
    again = run_task(train(paused, bases))

    assert found.learning_rate != found.usual == 1e-3
    assert [event.kind for event in events[:3]] == ["started", "note", "rate"]
    with Image.open(folder.samples / found.curve) as picture:
        assert picture.size == (640, 240)
    assert result(folder) == result(by_hand) == result(paused)
    assert "rate" not in [event.kind for event in again]


def test_no_number(bases: BaseCache, make_recipe: Made, tmp_path: Path) -> None:
    """A loss that is no number from the first step on leaves the usual rate, and draws nothing."""
    weight = torch.nn.Parameter(torch.ones(1))
    attached = SimpleNamespace(parameters={"weight": weight}, rate_factors={})
    family = SimpleNamespace(compute_loss=lambda _: weight.sum() * math.nan, networks=None)
    recipe = make_recipe(find_learning_rate=True, learning_rate=1e-3)
    finder = RateFinder(recipe, attached, family, bases.device, lambda *_: [MicroBatch({})])
    found = []

    def search() -> Iterator[Event | None]:
        found.append((yield from finder.search(JobFolder(tmp_path), lambda: (yield))))

    told = [event.kind for event in search() if event]

    assert found == [(replace(recipe, found_learning_rate=1e-3), None)]
    assert told == ["note"]
    assert weight.item() == 1


def test_prodigy(make_recipe: Made) -> None:
    """An optimizer that finds the rate itself needs no sweep."""
    with pytest.raises(JobError, match="rate_prodigy"):
        make_recipe(find_learning_rate=True, optimizer=Optimizer.PRODIGY, learning_rate=1.0)
