"""A family's facts are counted on its true networks."""

from __future__ import annotations

import pytest

from benchmarks.memory import counts
from training import families
from training.networks import memory
from training.networks.counts import Counts, read_counts
from training.networks.traits import MethodTraits


@pytest.mark.slow(17)
def test_memory():
    """The JSON beside a family's file holds what `benchmarks.memory.counts` counts."""
    assert counts.count_memory("sd1") == families.walk()["sd1"].COUNTS.memory


@pytest.mark.slow(9)
@pytest.mark.parametrize("name", ["sdxl", "zimage"])
def test_memory_of_a_lora(name):
    """Larger families are spot-checked, since counting everything takes a minute."""
    kept = counts.round_up(counts.count_kept(name, "lora"), counts.STEP_BYTES)

    assert kept == families.walk()[name].COUNTS.memory.attention


def test_a_family_without_counts(tmp_path):
    """Without JSON a family's memory is unknown (0), and pictures are sampled one by one."""
    known = read_counts(str(tmp_path / "new.py"))

    assert known == Counts()
    assert memory.training_bytes(known.memory, None, 1000, MethodTraits()) == 0
    assert memory.count_at_once(known.memory, 512, 1 << 40) == 1
