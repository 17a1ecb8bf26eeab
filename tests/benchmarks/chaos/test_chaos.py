"""Whatever dies, nothing is lost, doubled, stuck, mixed up or left behind."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.chaos.__main__ import draw_expected, run

KILLS = 20


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """Return the digests of what undisturbed jobs make."""
    return asyncio.run(draw_expected(tmp_path_factory.mktemp("expected")))


@pytest.mark.slow(80)
@pytest.mark.parametrize("seed", [1, 2])
def test_chaos(tmp_path, expected, seed):
    """Real processes that are killed at random do no harm to any job."""
    chaos, verdict = asyncio.run(run(tmp_path, KILLS, seed, expected))
    assert sum(chaos.injuries.done.values()) >= KILLS
    assert len(chaos.load.jobs) > 5
    assert verdict.lines() == []
    assert chaos.house.twin.failures == []
    assert [code for _, code in chaos.house.read_exits() if code == 2] == []
