"""How long trainings take: estimates from past timings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage.planning.durations import (
    TimingKey,
    count_previews,
    estimate_duration,
    find_nearest,
    total_seconds,
)
from storage.planning.plan import Plan
from storage.records import Base, Concept, Dial, Optimizer, Timing
from storage.requests import TrainRequest

BASE = Base("embedded", "Emoji", "sd1", "embedded", 64, "Apache-2.0", "emoji", present=True)
PLAN = Plan("lora", "embedded", Dial.QUICK, 6, 100, 8, 1e-3, 4, 1000)
REQUEST = TrainRequest(
    "lora", "embedded", "dog", "dog", Concept.LOOK, Dial.QUICK, 100, 8, 1e-3, 4, 0
)
KEY = TimingKey.from_training("two cores", BASE, PLAN, Concept.LOOK)
TIMING = Timing(0.5, 0.25, 2.0, 10.0)


def test_estimate() -> None:
    """Steps, photos and pictures add up; class pictures are drawn and encoded."""
    found = estimate_duration({KEY: TIMING}, KEY, PLAN)
    classes = estimate_duration({KEY: TIMING}, KEY, replace(PLAN, num_class_images=4))

    assert count_previews(PLAN.steps, PLAN.dial) == 10
    assert found.seconds == 100 * 0.5 + 6 * 0.25 + 10 * 2.0 + 10.0
    assert found.seconds == total_seconds(TIMING, PLAN, 6) == total_seconds(TIMING, REQUEST, 6)
    assert classes.seconds == found.seconds + 4 * (0.25 + 2.0)
    assert found.timed_like == ""


@pytest.mark.parametrize(
    ("steps", "rounds"), [(1, 2), (25, 2), (26, 2), (80, 4), (88, 5), (100, 5), (240, 5)]
)
def test_previews(steps: int, rounds: int) -> None:
    """Pictures are drawn before, at the end and at checkpoints, but not just before the end."""
    assert count_previews(steps, Dial.BALANCED) == 2 * rounds
    assert count_previews(steps, Dial.BALANCED, concepts=2) == 3 * rounds


@pytest.mark.parametrize(("steps", "rounds"), [(50, 3), (200, 9), (372, 9)])
def test_previews_of_a_thorough_training(steps: int, rounds: int) -> None:
    """It has twice the checkpoints where it is long enough, and its estimate counts them."""
    thorough = replace(PLAN, steps=steps, dial=Dial.THOROUGH)

    found = estimate_duration({KEY: TIMING}, KEY, thorough)

    assert count_previews(steps, Dial.THOROUGH) == 2 * rounds
    assert found.seconds == steps * 0.5 + 6 * 0.25 + 2 * rounds * 2.0 + 10.0


def test_folds() -> None:
    """Until it was measured, a training with photos held out in turn is taken for two."""
    folds = TimingKey.from_training("two cores", BASE, PLAN, Concept.LOOK, {"folds": 3})
    plain = total_seconds(TIMING, PLAN, 6)

    assert estimate_duration({KEY: TIMING}, folds, PLAN).seconds == 2 * plain
    assert estimate_duration({KEY: TIMING, folds: TIMING}, folds, PLAN).seconds == plain


def test_unknown() -> None:
    """There is no estimate for another device, another base, or before the first run."""
    for known in ({}, {replace(KEY, device="H100"): TIMING}, {replace(KEY, base="sd15"): TIMING}):
        assert estimate_duration(known, KEY, PLAN) == PLAN


def test_nearest() -> None:
    """The most similar timing stands in for a missing one, and its method is named."""
    locon, larger = replace(KEY, method="locon"), replace(KEY, batch_size=8)
    known = {locon: TIMING, larger: replace(TIMING, step=1.5)}

    timing, method = find_nearest(known, KEY)
    other, other_method = find_nearest({locon: TIMING}, KEY)

    assert (timing, method) == (replace(TIMING, step=0.75), "lora")
    assert (other, other_method) == (TIMING, "locon")
    assert estimate_duration(known, KEY, PLAN).timed_like == "lora"


def test_key() -> None:
    """A plan and its request have the same key; whatever slows a step down changes it."""
    asked = TimingKey.from_training("two cores", BASE, REQUEST, Concept.LOOK, REQUEST.options)
    slower = [
        replace(REQUEST, options={"optimizer": Optimizer.PRODIGY}),
        replace(REQUEST, options={"shuffle_caption": True}),
        replace(REQUEST, num_class_images=4), replace(REQUEST, rank=0),
        replace(REQUEST, batch_size=8),
    ]  # fmt: skip

    assert asked == KEY
    assert (
        len(
            {
                TimingKey.from_training("two cores", BASE, each, Concept.LOOK, each.options)
                for each in slower
            }
        )
        == 5
    )
    assert asked not in {
        TimingKey.from_training("two cores", BASE, each, Concept.LOOK, each.options)
        for each in slower
    }
