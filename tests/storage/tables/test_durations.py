"""How long trainings take: remembered by what sets their pace, and told beforehand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage.records import Base, Concept, Dial, Optimizer, Plan, Timing
from storage.requests import TrainRequest
from storage.store import Store
from storage.tables.durations import (
    TimingKey,
    count_previews,
    estimate_duration,
    nearest,
    total_seconds,
)

BASE = Base("embedded", "Emoji", "sd1", "embedded", 64, "Apache-2.0", "emoji", present=True)
PLAN = Plan("lora", "embedded", Dial.QUICK, 6, 100, 8, 1e-3, 4, 1000)
REQUEST = TrainRequest(
    "lora", "embedded", "dog", "dog", Concept.LOOK, Dial.QUICK, 100, 8, 1e-3, 4, 0
)
GAIT = TimingKey.of("two cores", BASE, PLAN, Concept.LOOK)
PACE = Timing(0.5, 0.25, 2.0, 10.0)


async def test_measured(store: Store) -> None:
    """A pace is the mean of the runs of its kind, and follows a change within a few of them."""
    for step in (1.0, 2.0, 3.0):
        await store.durations.measured(GAIT, replace(PACE, step=step))
    mean = (await store.durations.all())[GAIT]
    for _ in range(20):
        await store.durations.measured(GAIT, replace(PACE, step=9.0))
    other = replace(GAIT, batch_size=8)
    await store.durations.measured(other, PACE)
    known = await store.durations.all()

    assert mean == replace(PACE, step=pytest.approx(2.0), runs=3)
    assert known[GAIT].step == pytest.approx(9.0, abs=0.1)
    assert known[other] == PACE


def test_foretold() -> None:
    """Steps, photos and pictures each take their time; class pictures are drawn and encoded."""
    found = estimate_duration({GAIT: PACE}, GAIT, PLAN)
    classes = estimate_duration({GAIT: PACE}, GAIT, replace(PLAN, num_class_images=4))

    assert count_previews(PLAN.steps) == 10
    assert found.seconds == 100 * 0.5 + 6 * 0.25 + 10 * 2.0 + 10.0 == total_seconds(PACE, 100, 6)
    assert classes.seconds == found.seconds + 4 * (0.25 + 2.0)
    assert found.timed_like == ""


@pytest.mark.parametrize(("steps", "rounds"), [(1, 2), (25, 2), (26, 3), (100, 5), (240, 5)])
def test_shown(steps: int, rounds: int) -> None:
    """Pictures are drawn before, at each checkpoint and at the end; one more for each concept."""
    assert count_previews(steps) == 2 * rounds
    assert count_previews(steps, concepts=2) == 3 * rounds


def test_unknown() -> None:
    """Nothing is told of another device, another base, or before any run."""
    for known in ({}, {replace(GAIT, device="H100"): PACE}, {replace(GAIT, base="sd15"): PACE}):
        assert estimate_duration(known, GAIT, PLAN) == PLAN


def test_nearest() -> None:
    """The nearest kind stands in for one that was never run, and its method is told."""
    locon, larger = replace(GAIT, method="locon"), replace(GAIT, batch_size=8)
    known = {locon: PACE, larger: replace(PACE, step=1.5)}

    pace, like = nearest(known, GAIT)
    other, method = nearest({locon: PACE}, GAIT)

    assert (pace, like) == (replace(PACE, step=0.75), "lora")
    assert (other, method) == (PACE, "locon")
    assert estimate_duration(known, GAIT, PLAN).timed_like == "lora"


def test_gait() -> None:
    """A plan and the request it becomes share their pace; what slows a step sets another one."""
    asked = TimingKey.of("two cores", BASE, REQUEST, Concept.LOOK, REQUEST.options)
    slower = [
        replace(REQUEST, options={"optimizer": Optimizer.PRODIGY}),
        replace(REQUEST, options={"shuffle_caption": True}),
        replace(REQUEST, num_class_images=4), replace(REQUEST, rank=0),
        replace(REQUEST, batch_size=8),
    ]  # fmt: skip

    assert asked == GAIT
    assert (
        len({TimingKey.of("two cores", BASE, each, Concept.LOOK, each.options) for each in slower})
        == 5
    )
    assert asked not in {
        TimingKey.of("two cores", BASE, each, Concept.LOOK, each.options) for each in slower
    }
