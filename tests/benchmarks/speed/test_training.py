"""What a training costs on the true architectures: their shrunken likes, for a few steps."""

from __future__ import annotations

import pytest
import torch

from benchmarks.speed.training import BAR, Setup, compare_sampling, compare_steps, measure_job
from tests.fakes.gpu import FakeGpu
from training.device import Device

pytestmark = pytest.mark.slow(11)


def test_all_three_learn(tmp_path):
    """Ours, a bare step and the documented loop are measured on the same layers and photos."""
    torch.set_num_threads(1)
    ground = Setup(tmp_path, Device.open(cpu=True, threads=1), ("sdxl",))

    found = {
        row.what.rpartition(": ")[2]: row.figure for row in compare_steps(ground, "sdxl", 2, 1)
    }

    assert 0.5 < float(found["ours over bare"]) < 2
    assert float(found["part of the matrix peak, bare"].split()[0]) < 100
    assert 5 < float(found["peak of a step"].split()[0]) < 100


def test_drawn(tmp_path):
    """Pictures at once stand beside the same ones drawn one after another."""
    ground = Setup(tmp_path, Device.open(cpu=True, threads=1), ("sd1",))

    (row,) = compare_sampling(ground, "sd1", 2)

    assert 0.1 < float(row.figure) < 2


def test_memory(tmp_path):
    """Where a device counts its peak, the card's estimate of the job stands beside it."""
    torch.set_num_threads(1)
    opened = Device.open(cpu=True, threads=1)
    found = []
    for held in (2800, 16_000):
        ground = Setup(tmp_path / str(held), FakeGpu(opened, 100_000, held), ("sd1",))
        found += [row for row in measure_job(ground, "sd1", 30) if "estimate" in row.what]

    assert [row.met for row in found] == [True, False]
    assert abs(float(found[0].figure.split()[0])) < BAR


def test_models_outlast_a_measurement(tmp_path):
    """On a shelf they are made once."""
    shelf, device = tmp_path / "shelf", Device.open(cpu=True, threads=1)
    Setup(tmp_path / "one", device, ("sd1",), shelf)
    made = sorted(path.stat().st_mtime_ns for path in shelf.rglob("*.safetensors"))

    Setup(tmp_path / "two", device, ("sd1",), shelf)

    assert made
    assert sorted(path.stat().st_mtime_ns for path in shelf.rglob("*.safetensors")) == made
