"""The loop computes what a bare step does, and nothing more."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from benchmarks.speed.overhead import Entrant, rows


@pytest.mark.parametrize("method", ["lora", "pivotal"])
def test_a_step_computes_what_a_bare_one_does(tmp_path, method):
    """The loop's operations equal the bare step's, whatever the machine's load."""
    torch.set_num_threads(1)
    entrant = Entrant.start(method, tmp_path, 100)

    ours, bare = entrant.count_steps()

    entrant.task.close()
    assert ours.total() > 300
    assert ours - bare == bare - ours
    assert ours == bare


def test_each_method_is_compared_with_a_lora():
    """Ratios compare the same turns, so that a shared slowdown cancels out."""
    pairs = {"lora": [(1.0, 1.0), (4.0, 4.0)], "loha": [(2.0, 2.5), (9.0, 9.0)]}
    counts = (Counter(mm=3), Counter(mm=3))

    written = [str(row) for row in rows("loha", pairs, counts)]

    assert "2.125" in written[1]
    assert "met" in written[2]
