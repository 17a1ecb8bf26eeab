"""The training benchmark runs on shrunken copies of the true architectures."""

from __future__ import annotations

import pytest
import torch

from benchmarks.speed.training import BAR, Setup, compare_sampling, compare_steps, measure_job
from tests.fakes.gpu import FakeGpu
from training.device import Device

pytestmark = pytest.mark.slow(2)


def test_compare_steps(tmp_path):
    """Our step, a bare one and the documented loop run on the same layers and photos."""
    torch.set_num_threads(1)
    setup = Setup(tmp_path, Device.open(cpu=True, threads=1), ("sdxl",), small_side=64)

    found = {
        row.what.rpartition(": ")[2]: row.figure for row in compare_steps(setup, "sdxl", 2, 1)
    }

    assert float(found["ours over bare"]) > 0  # how much it is, a busy machine decides
    assert float(found["part of the matrix peak, bare"].split()[0]) < 100
    assert 5 < float(found["peak of a step"].split()[0]) < 100


def test_compare_sampling(tmp_path):
    """Pictures in one batch are compared with the same ones in sequence."""
    setup = Setup(tmp_path, Device.open(cpu=True, threads=1), ("sd1",), small_side=64)

    (row,) = compare_sampling(setup, "sd1", 2)

    assert float(row.figure) > 0


def test_memory(tmp_path):
    """A device that counts its peak has it compared with the card's estimate."""
    torch.set_num_threads(1)
    opened = Device.open(cpu=True, threads=1)
    found = []
    for held in (2800, 16_000):
        setup = Setup(
            tmp_path / str(held), FakeGpu(opened, 100_000, held), ("sd1",), small_side=64
        )
        found += [row for row in measure_job(setup, "sd1", 4) if "estimate" in row.what]

    assert [row.met for row in found] == [True, False]
    assert abs(float(found[0].figure.split()[0])) < BAR


def test_models_are_kept(tmp_path):
    """Models in the given folder are made only once."""
    model_folder, device = tmp_path / "shelf", Device.open(cpu=True, threads=1)
    Setup(tmp_path / "one", device, ("sd1",), model_folder)
    made = sorted(path.stat().st_mtime_ns for path in model_folder.rglob("*.safetensors"))

    Setup(tmp_path / "two", device, ("sd1",), model_folder)

    assert made
    assert sorted(path.stat().st_mtime_ns for path in model_folder.rglob("*.safetensors")) == made
