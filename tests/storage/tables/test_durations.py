"""Timings of past trainings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage.planning.durations import TimingKey
from storage.records import Concept, Timing
from storage.store import Store

KEY = TimingKey("two cores", "embedded", 64, "lora", Concept.LOOK, 4)
TIMING = Timing(0.5, 0.25, 2.0, 10.0)


async def test_mean(store: Store) -> None:
    """A timing is the mean of the runs with its key, and follows a change within a few of them."""
    for step in (1.0, 2.0, 3.0):
        await store.durations.add_run(KEY, replace(TIMING, step=step))
    mean = (await store.durations.read_all())[KEY]
    for _ in range(20):
        await store.durations.add_run(KEY, replace(TIMING, step=9.0))
    other = replace(KEY, batch_size=8)
    await store.durations.add_run(other, TIMING)
    known = await store.durations.read_all()

    assert mean == replace(TIMING, step=pytest.approx(2.0), runs=3)
    assert known[KEY].step == pytest.approx(9.0, abs=0.1)
    assert known[other] == TIMING
