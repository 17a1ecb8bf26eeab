"""How long trainings take: remembered by what sets their pace, and told beforehand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage.records import Base, Concept, Dial, Optimizer, Pace, Plan
from storage.requests import TrainRequest
from storage.store import Store
from storage.tables.durations import Gait, foretold, nearest, shown, spent

BASE = Base("embedded", "Emoji", "sd1", "embedded", 64, "Apache-2.0", "emoji", present=True)
PLAN = Plan("lora", "embedded", Dial.QUICK, 6, 100, 8, 1e-3, 4, 1000)
REQUEST = TrainRequest(
    "lora", "embedded", "dog", "dog", Concept.LOOK, Dial.QUICK, 100, 8, 1e-3, 4, 0
)
GAIT = Gait.of("two cores", BASE, PLAN, Concept.LOOK)
PACE = Pace(0.5, 0.25, 2.0, 10.0)


async def test_measured(store: Store) -> None:
    """A pace is the mean of the runs of its kind, and follows a change within a few of them."""
    for step in (1.0, 2.0, 3.0):
        await store.paces.measured(GAIT, replace(PACE, step=step))
    mean = (await store.paces.all())[GAIT]
    for _ in range(20):
        await store.paces.measured(GAIT, replace(PACE, step=9.0))
    other = replace(GAIT, batch=8)
    await store.paces.measured(other, PACE)
    known = await store.paces.all()

    assert mean == replace(PACE, step=pytest.approx(2.0), runs=3)
    assert known[GAIT].step == pytest.approx(9.0, abs=0.1)
    assert known[other] == PACE


def test_foretold() -> None:
    """Steps, photos and pictures each take their time; class pictures are drawn and encoded."""
    found = foretold({GAIT: PACE}, GAIT, PLAN)
    classes = foretold({GAIT: PACE}, GAIT, replace(PLAN, prior=4))

    assert shown(PLAN.steps) == 10
    assert found.seconds == 100 * 0.5 + 6 * 0.25 + 10 * 2.0 + 10.0 == spent(PACE, 100, 6)
    assert classes.seconds == found.seconds + 4 * (0.25 + 2.0)
    assert found.like == ""


@pytest.mark.parametrize(("steps", "rounds"), [(1, 2), (25, 2), (26, 3), (100, 5), (240, 5)])
def test_shown(steps: int, rounds: int) -> None:
    """Pictures are drawn before, at each checkpoint and at the end; one more for each concept."""
    assert shown(steps) == 2 * rounds
    assert shown(steps, concepts=2) == 3 * rounds


def test_unknown() -> None:
    """Nothing is told of another device, another base, or before any run."""
    for known in ({}, {replace(GAIT, device="H100"): PACE}, {replace(GAIT, base="sd15"): PACE}):
        assert foretold(known, GAIT, PLAN) == PLAN


def test_nearest() -> None:
    """The nearest kind stands in for one that was never run, and its method is told."""
    locon, larger = replace(GAIT, method="locon"), replace(GAIT, batch=8)
    known = {locon: PACE, larger: replace(PACE, step=1.5)}

    pace, like = nearest(known, GAIT)
    other, method = nearest({locon: PACE}, GAIT)

    assert (pace, like) == (replace(PACE, step=0.75), "lora")
    assert (other, method) == (PACE, "locon")
    assert foretold(known, GAIT, PLAN).like == "lora"


def test_gait() -> None:
    """A plan and the request it becomes share their pace; what slows a step sets another one."""
    asked = Gait.of("two cores", BASE, REQUEST, Concept.LOOK, REQUEST)
    slower = [
        replace(REQUEST, optimizer=Optimizer.PRODIGY), replace(REQUEST, shuffle=True),
        replace(REQUEST, prior=4), replace(REQUEST, rank=0), replace(REQUEST, batch=8),
    ]  # fmt: skip

    assert asked == GAIT
    assert len({Gait.of("two cores", BASE, each, Concept.LOOK, each) for each in slower}) == 5
    assert asked not in {Gait.of("two cores", BASE, each, Concept.LOOK, each) for each in slower}
