"""The strength that a finished style is best applied at."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch

from storage.events import StrengthScored
from tests.training.run.test_choosing import Pictures
from training import methods
from training.judge.score import Score
from training.networks.networks import Scalable
from training.recipe.concepts import SamplePrompt
from training.run.loop import train
from training.run.strength import describe, list_strengths
from training.styles.header import read_header, read_metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from storage.events import Event
    from storage.folders import JobFolder
    from training.bases.cache import BaseCache
    from training.recipe.recipe import Recipe


def test_budget(make_recipe: Callable[..., Recipe]) -> None:
    """Five strengths are tried, or three, or none: as many as a share of the time allows."""
    recipe = replace(make_recipe(steps=4500, save_every=1125), batch_size=1, strength_share=0.05)
    previews = Pictures(2)

    assert list_strengths(recipe, previews, 3) == (0.4, 0.6, 0.8, 1.2, 1.4)
    assert list_strengths(replace(recipe, steps=2500, save_every=625), previews, 3) == (
        0.4,
        0.7,
        1.4,
    )
    assert list_strengths(replace(recipe, steps=1000, save_every=250), previews, 3) == ()
    assert list_strengths(replace(recipe, strength_share=0.0), previews, 3) == ()


def test_best() -> None:
    """Another strength than 1 is recommended only where it is clearly better."""
    scores = {1.0: Score(0.5, 0.05, 3), 0.7: Score(0.7, 0.05, 3), 1.4: Score(0.2, 0.05, 3)}

    assert describe(scores).best == 0.7
    assert describe(scores).strengths == (0.7, 1.0, 1.4)
    assert describe(scores | {0.7: Score(0.58, 0.05, 3)}).best == 1.0


def test_scaled(bases: BaseCache, make_recipe: Callable[..., Recipe]) -> None:
    """At a strength of 0.4, a LoRA adds two fifths of what it adds at 1."""
    recipe = make_recipe()
    with bases.borrow("embedded") as family:
        attached = methods.find("lora").attach(family.networks, recipe)
        try:
            assert isinstance(attached, Scalable)
            for parameter in attached.parameters.values():
                torch.nn.init.normal_(parameter, std=0.1)
            layers = attached.layers.values()
            layer = next(each for each in layers if isinstance(each.base_layer, torch.nn.Linear))
            given = torch.randn(1, 4, layer.base_layer.in_features)
            with torch.no_grad():
                full = layer(given)
                with attached.disabled():
                    bare = layer(given)
                with attached.scaled(0.4):
                    part = layer(given)
                again = layer(given)
        finally:
            attached.detach()

    assert torch.allclose(part - bare, 0.4 * (full - bare), atol=1e-4)
    assert torch.equal(again, full)


@pytest.mark.slow(3)
def test_recommended(
    bases: BaseCache,
    make_recipe: Callable[..., Recipe],
    make_job_folder: Callable[..., JobFolder],
    run_task: Callable[[Iterator[Event]], list[Event]],
) -> None:
    """A run with time for it tries strengths at its end; the header has the best."""
    prompt = SamplePrompt("a mydog emoji", 3)
    shares = {"scoring_share": 1.6, "strength_share": 2.5}
    recipe = make_recipe(steps=2, save_every=1, prompts=(prompt,), **shares)
    folder = make_job_folder(recipe)

    events = run_task(train(folder, bases))

    (tried,) = [event for event in events if isinstance(event, StrengthScored)]
    assert tried.strengths == (0.4, 0.7, 1.0, 1.4)
    told = read_metadata(read_header(folder.result / "mydog.safetensors"))
    assert told["modelspec.usage_hint"] == f"Use at strength {tried.best:.1f}"
    assert all(folder.strength_picture(each).exists() for each in (0.4, 0.7, 1.4))
