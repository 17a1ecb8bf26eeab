"""Whatever dies, nothing is lost, doubled, stuck, mixed up or left behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from benchmarks.chaos.__main__ import Chaos, draw_expected, run
from benchmarks.chaos.verdict import Verdict

KILLS, SEEDS = 20, (1, 2)

Runs = dict[int, tuple[Chaos, Verdict]]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Kill at random in one house for each seed, both at a time, and return what came of it."""

    async def run_all(folder: Path) -> Runs:
        expected = await draw_expected(folder)
        houses = [run(folder / str(seed), KILLS, seed, expected) for seed in SEEDS]
        return dict(zip(SEEDS, await asyncio.gather(*houses), strict=True))

    return asyncio.run(run_all(tmp_path_factory.mktemp("chaos")))


@pytest.mark.slow(80)
@pytest.mark.filterwarnings("ignore:unread_data:DeprecationWarning")  # aiohttp's own
@pytest.mark.parametrize("seed", SEEDS)
def test_chaos(runs: Runs, seed: int) -> None:
    """Real processes that are killed at random do no harm to any job."""
    chaos, verdict = runs[seed]

    assert sum(chaos.injuries.done.values()) >= KILLS
    assert len(chaos.load.jobs) > 5
    assert verdict.lines() == []
    assert chaos.house.twin.failures == []
    assert [code for _, code in chaos.house.read_exits() if code == 2] == []
