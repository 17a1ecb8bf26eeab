"""Short runs without a part of the photos tell how far a training should go."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch

from storage.events import Done, Event, FoldsTried, Note
from storage.folders import write_json
from training.recipe.concepts import SamplePrompt
from training.run.folds import Curve, can_fold, judge_curves
from training.run.loop import train
from training.styles.writer import read_tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from storage.folders import JobFolder
    from training.bases.cache import BaseCache
    from training.recipe.recipe import Recipe

FALLING = {"held_out": [0.6, 0.4, 0.3], "trained": [0.6, 0.7, 0.9]}


@pytest.mark.parametrize(
    ("held_out", "last"),
    [
        (((0.5, 0.4, 0.3), (0.6, 0.5, 0.4), (0.4, 0.2, 0.2)), 15),
        (((0.3, 0.5, 0.4), (0.4, 0.6, 0.5), (0.2, 0.4, 0.3)), 30),
        (((0.3, 0.4, 0.5), (0.4, 0.5, 0.6), (0.2, 0.3, 0.4)), 0),  # still rising
        (((0.5, 0.4, 0.2), (0.4, 0.4, 0.5), (0.5, 0.4, 0.4)), 0),  # the parts do not agree
    ],
)
def test_last_step(held_out: tuple[tuple[float, ...], ...], last: int) -> None:
    """It ends where the held-out likeness falls, in as many passes over all of the photos."""
    found = judge_curves([Curve([*each], [0.5, 0.6, 0.7]) for each in held_out], (10, 20, 30))

    assert found.last == last
    assert found.held_out[0] == pytest.approx(sum(each[0] for each in held_out) / 3, abs=1e-3)
    assert found.trained == pytest.approx((0.5, 0.6, 0.7))


@pytest.mark.parametrize(
    ("photos", "folds", "can"), [(3, 3, True), (3, 0, False), (2, 3, False), (20, 3, False)]
)
def test_photos(make_recipe: Callable[..., Recipe], photos: int, folds: int, *, can: bool) -> None:
    """Only a few photos are parted, and each part has one at least."""
    assert can_fold(make_recipe(photos=photos, folds=folds)) == can


@pytest.mark.slow(7)
def test_runs(
    bases: BaseCache,
    make_recipe: Callable[..., Recipe],
    make_job_folder: Callable[..., JobFolder],
    run_task: Callable[[Iterator[Event]], list[Event]],
) -> None:
    """Runs of an earlier attempt count; none changes the training, but for where it ends."""
    plain = make_recipe(photos=2, resolution=32)
    whole = make_job_folder(plain, "whole")
    run_task(train(whole, bases))
    prompts = (SamplePrompt("a mydog emoji", 3),)
    asked = replace(plain, folds=2, scoring_share=9.0, prompts=prompts)
    for name, known, last in (
        ("half", [FALLING | {"held_out": [0.0, 0.0, 2.0]}], 4),
        ("both", [FALLING, FALLING], 2),
    ):
        folder = make_job_folder(asked, name)
        write_json(folder.kept / "folds.json", known)

        events = run_task(train(folder, bases))

        notes = [event.facts for event in events if isinstance(event, Note)]
        assert notes == ([{"fold": 2, "folds": 2}] if name == "half" else [])
        (tried,) = [event for event in events if isinstance(event, FoldsTried)]
        done = events[-1]
        assert isinstance(done, Done)
        assert (tried.steps, tried.last % 4, done.steps) == ((1, 2, 3), last % 4, last)
        assert all(0 <= each <= 1 for each in tried.trained)
        ours, others = read_tensors(folder.kept_style(last)), read_tensors(whole.kept_style(last))
        assert all(torch.equal(ours[name], others[name]) for name in others)
