"""What a training costs on the true architectures: their shrunken likes, for a few steps."""

from __future__ import annotations

import torch

from benchmarks.training import Ground, pace
from training.device import Device


def test_all_three_learn(tmp_path):
    """Ours, a bare step and the documented loop are measured on the same layers and photos."""
    torch.set_num_threads(1)
    ground = Ground(tmp_path, Device.open(cpu=True, threads=1), ("sdxl",))

    found = {row.what.rpartition(": ")[2]: row.figure for row in pace(ground, "sdxl", 2, 1)}

    assert 0.5 < float(found["ours over bare"]) < 2
    assert float(found["part of the matrix peak, bare"].split()[0]) < 100
    assert 5 < float(found["peak of a step"].split()[0]) < 100
