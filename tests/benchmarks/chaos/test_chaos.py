"""Whatever dies, nothing is lost, doubled, stuck, mixed up or left behind."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.chaos.__main__ import Run, run

KILLS, SEEDS = 12, (1, 2)
STEPS = 30  #: of a training, whose checkpoint is at 25


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Run]:
    """Kill at random in one house for each seed, both at a time, and return what came of it."""
    return asyncio.run(run(tmp_path_factory.mktemp("chaos"), KILLS, SEEDS, STEPS))


@pytest.mark.slow(50)
@pytest.mark.filterwarnings("ignore:unread_data:DeprecationWarning")  # aiohttp's own
@pytest.mark.parametrize("seed", SEEDS)
def test_chaos(runs: dict[int, Run], seed: int) -> None:
    """Real processes that are killed at random do no harm to any job."""
    chaos, verdict = runs[seed]

    assert sum(chaos.injuries.done.values()) >= KILLS
    assert len(chaos.load.jobs) > 5
    assert verdict.lines() == []
    assert chaos.house.twin.failures == []
    assert [code for _, code in chaos.house.read_exits() if code == 2] == []
