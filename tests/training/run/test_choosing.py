"""Checkpoints are scored, the best is chosen, and a run that has peaked ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
import torch

from storage.events import CheckpointChosen, CheckpointSaved, Done, Event
from storage.folders import write_json
from storage.planning.plan import checkpoint_interval
from training.judge.score import Score
from training.recipe.concepts import SamplePrompt
from training.run.checkpoint import path_of_step
from training.run.choosing import choose, has_peaked, list_tries, plan_scoring
from training.run.loop import train
from training.styles.writer import read_tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from storage.folders import JobFolder
    from training.bases.cache import BaseCache
    from training.recipe.recipe import Recipe


@dataclass(frozen=True)
class Pictures:
    """What a plan asks of a run's previews: two prompts, and so many pictures at the end."""

    at_end: int
    prompts = ("a", "b")

    def count_pictures(self, rounds: int) -> int:
        """Count the pictures of so many rounds."""
        return 2 * (rounds - 1) + self.at_end


@pytest.mark.parametrize(
    ("steps", "batch_size", "share", "planned"),
    [
        (600, 1, 0.02, (0, set())),  # SDXL, quick
        (1200, 1, 0.1, (3, {600, 900, 1200})),  # SDXL, balanced
        (3300, 1, 0.1, (6, {825, 1650, 2475, 3300})),
        (122, 4, 0.1, (3, {93, 122})),  # the embedded base, balanced
        (100, 4, 0.02, (0, set())),
    ],
)
def test_budget(
    make_recipe: Callable[..., Recipe],
    steps: int,
    batch_size: int,
    share: float,
    planned: tuple[int, set[int]],
) -> None:
    """As many checkpoints are scored as the share of the time allows, the last ones; or none.

    Whole models have none, nor has a run that is to go on: it ends at its last step.
    """
    more = {"save_every": checkpoint_interval(steps), "scoring_share": share}
    recipe = replace(make_recipe(steps=steps, **more), batch_size=batch_size)
    previews = Pictures(2 if batch_size == 1 else 12)

    assert plan_scoring(recipe, previews) == planned
    for none in replace(recipe, rank=0), replace(recipe, stop_after=steps // 2):
        assert plan_scoring(none, previews) == (0, set())


def test_each_seed_draws_other_prompts(make_recipe: Callable[..., Recipe]) -> None:
    """What a style makes of one prompt tells little of the next; the first is drawn as shown."""
    prompts = tuple(SamplePrompt(text, 10 + at) for at, text in enumerate("abcd"))
    recipe = make_recipe(prompts=prompts)

    tries = [(each.text, each.seed) for each in list_tries(recipe, 5)]

    assert tries == [("a", 10), ("b", 15), ("c", 20), ("d", 25), ("a", 26)]


def test_choice() -> None:
    """An earlier checkpoint is taken only if it is clearly better than the last one."""
    scores = {25: Score(0.6, 0.05, 3), 50: Score(0.4, 0.05, 3), 75: Score(0.5, 0.04, 3)}

    assert choose(scores, 50, stopped=True) == CheckpointChosen(
        25, 50, 25, (25, 50, 75), (0.6, 0.4, 0.5), (0.05, 0.05, 0.04), stopped=True
    )
    assert choose(scores, 75, stopped=False).step == 25
    near = scores | {75: Score(0.55, 0.04, 3)}
    assert (choose(near, 75, stopped=False).step, choose(near, 75, stopped=False).best) == (75, 25)


def test_choice_of_a_stopped_run() -> None:
    """The best is the peak that it stopped for, and is never taken if it is below the last."""
    scores = {at: Score(mean, 0.0, 3) for at, mean in ((25, 0.6), (50, 0.62), (75, 0.61))}

    choice = choose(scores, 75, stopped=True)

    assert (choice.step, choice.best) == (75, 25)
    assert choose(scores, 75, stopped=False).step == 50


@pytest.mark.parametrize(
    ("means", "patience", "peaked"),
    [
        ((0.4, 0.5, 0.6), 2, False),
        ((0.6, 0.5, 0.4), 2, True),
        ((0.4, 0.6, 0.5), 2, False),
        ((0.6, 0.5, 0.4), 0, False),
        ((0.6, 0.62, 0.62), 2, True),  # less than is worth another checkpoint
        ((0.6, 0.62, 0.64), 2, False),
        ((), 2, False),
    ],
)
def test_peaked(means: tuple[float, ...], patience: int, *, peaked: bool) -> None:
    """A run has peaked when so many checkpoints after the best were no better."""
    scores = {at: Score(mean, 0.1, 3) for at, mean in enumerate(means, 1)}

    assert has_peaked(scores, patience) == peaked


@pytest.mark.slow(3)
def test_stop(
    bases: BaseCache,
    make_recipe: Callable[..., Recipe],
    make_job_folder: Callable[..., JobFolder],
    run_task: Callable[[Iterator[Event]], list[Event]],
) -> None:
    """A run that has peaked ends with its best checkpoint; scoring changes no weights."""
    prompt = SamplePrompt("a mydog emoji", 3)
    plain = make_recipe(steps=6, prompts=(prompt,))
    whole = make_job_folder(plain, "whole")
    run_task(train(whole, bases))
    scored = make_job_folder(replace(plain, scoring_share=1.6, patience=1), "scored")
    known = {"2": {"mean": 1.0, "spread": 0.0, "seeds": 3}}  # as an earlier attempt leaves it
    write_json(scored.kept / "scores.json", known)

    events = run_task(train(scored, bases))

    (choice,) = [event for event in events if isinstance(event, CheckpointChosen)]
    assert (choice.step, choice.last, choice.steps, choice.stopped) == (2, 4, (2, 4), True)
    assert 0 <= choice.scores[1] < 1
    done = events[-1]
    assert isinstance(done, Done)
    assert (done.steps, done.early) == (4, True)
    result = read_tensors(scored.result / "mydog.safetensors")
    for ours, others in (
        (result, read_tensors(whole.kept_style(2))),
        (read_tensors(scored.kept_style(4)), read_tensors(whole.kept_style(4))),
    ):
        assert all(torch.equal(ours[name], others[name]) for name in others)


@pytest.mark.slow(2)
def test_best_before_the_end(
    bases: BaseCache,
    make_recipe: Callable[..., Recipe],
    make_job_folder: Callable[..., JobFolder],
    run_task: Callable[[Iterator[Event]], list[Event]],
) -> None:
    """The last checkpoint is drawn as the chosen one was; scores of later steps do not count."""
    prompt = SamplePrompt("a mydog emoji", 3)
    recipe = make_recipe(steps=2, save_every=1, prompts=(prompt,))
    folder = make_job_folder(replace(recipe, scoring_share=1.6, patience=1))
    perfect = {"mean": 1.0, "spread": 0.0, "seeds": 3}
    write_json(folder.kept / "scores.json", {"1": perfect, "3": perfect | {"mean": 2.0}})

    events = run_task(train(folder, bases))

    (choice,) = [event for event in events if isinstance(event, CheckpointChosen)]
    assert (choice.step, choice.last, choice.steps, choice.stopped) == (1, 2, (1, 2), False)
    assert all(folder.preview(step).exists() for step in (1, 2))


@pytest.mark.slow(1)
def test_lost_checkpoint(
    bases: BaseCache, make_recipe: Callable[..., Recipe], make_job_folder: Callable[..., JobFolder]
) -> None:
    """The last checkpoint is taken where the best one's file is lost."""
    recipe = make_recipe(steps=2, save_every=1, prompts=(SamplePrompt("a mydog emoji", 3),))
    folder = make_job_folder(replace(recipe, scoring_share=1.6, patience=1))
    perfect = {"mean": 1.0, "spread": 0.0, "seeds": 3}
    write_json(folder.kept / "scores.json", {"1": perfect})

    events = list[Event]()
    for event in train(folder, bases):
        events.append(event)
        if isinstance(event, CheckpointSaved) and event.step == 1:
            path_of_step(folder.checkpoints, 1).unlink()

    (choice,) = [event for event in events if isinstance(event, CheckpointChosen)]
    assert (choice.step, choice.last, choice.steps) == (2, 2, (2,))
    assert isinstance(events[-1], Done)
