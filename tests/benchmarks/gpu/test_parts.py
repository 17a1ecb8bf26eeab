"""Every part of the GPU benchmark runs here on shrunken models, with a stand-in for CUDA."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.gpu import job, memory
from benchmarks.gpu.bench import Bench
from benchmarks.gpu.runner import PARTS, Settings, run_parts
from tests.fakes import cuda
from tests.fakes.gpu import FakeGpu
from training.device import Device

pytestmark = [
    pytest.mark.slow(15),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]
ROOT = Path(__file__).parents[3]
#: what does as the smaller model's parts do, and what other tests here run
LEFT_OUT = {"steps-sdxl", "compile-sdxl", "job", "memory"}
SCRIPT = ["bash", "benchmarks/gpu.sh", "--device", "cpu", "--only", "machine"]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Return the folder of random models."""
    return tmp_path_factory.mktemp("models")


def make_bench(tmp_path, models, seconds=60.0, **more):
    """Return a bench without a GPU."""
    return Bench(tmp_path, models, True, cuda, seconds, **more)


def test_every_part_leaves_its_figures(tmp_path, models):
    """They end well, each with figures, and graphs teach what eager steps teach."""
    parts = [part for part in PARTS if part.name not in LEFT_OUT]

    outcomes = run_parts(
        parts, Settings(tmp_path, tmp_path, models, "cpu", cuda.__name__), 540, {}
    )

    assert {outcome.part: outcome.fault for outcome in outcomes if outcome.fault} == {}
    assert all(outcome.figures for outcome in outcomes)
    figures = {figure.what: figure for outcome in outcomes for figure in outcome.figures}
    (same,) = [each for what, each in figures.items() if "graph against eager: losses" in what]
    assert same.value == 0
    assert [what for what in figures if "CUDA graph" in what and "embedded" in what]


def test_a_late_job_finishes_early(tmp_path, models):
    """It ends with its pictures and files, and says from how many steps it is known."""
    figures = list(job.measure(make_bench(tmp_path, models, seconds=job.RESERVE)))

    assert figures[-1].more.startswith(" (from ")
    assert figures[-1].value > 0


def test_memory_is_compared_with_the_estimate(tmp_path, models):
    """What a GPU counted, with its driver's, stands beside what the card foretold."""
    held = 1000
    bench = make_bench(
        tmp_path, models, open_device=lambda **how: FakeGpu(Device.open(**how), 80_000, held)
    )

    what, error = memory.measure(bench)

    assert (what.value, what.unit) == (held, "MiB")
    assert error.value > memory.BAR


def test_the_script_writes_figures(tmp_path):
    """`gpu.sh` leaves JSON and a table in its folder, and prints the table."""
    done = subprocess.run(
        [*SCRIPT, "--out", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False,
        env={"PYTHON": sys.executable, "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    (part,) = json.loads((tmp_path / "figures.json").read_text())["parts"]
    assert len(part["figures"]) == 2
    assert (tmp_path / "table.md").read_text() in done.stdout
    assert (tmp_path / "log.txt").exists()
