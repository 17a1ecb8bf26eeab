"""A stage of the recipe that is killed goes on where it was, to the same bytes.

`python -m …test_resume WORK` runs a small stage, in one process, and saves each step;
with `crew` behind it, in two processes.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
from torch import nn

from training.pretraining import distributed

pytestmark = pytest.mark.slow(8)

MYSELF = (sys.executable, "-m", "tests.training.pretraining.test_resume")
STEPS, HELD = 40, 23
TIMEOUT = 300  #: seconds; nothing here is measured, a hang only ends


class ToyTask:
    """A small network; while there is a file `hold`, it stays in one step."""

    name = "toy"
    steps, batch_size, learning_rate, muon_learning_rate, ema_decay = STEPS, 4, 0.05, 0.02, 0.9

    def __init__(self, work):
        self.hold = work / "hold"
        self.networks = nn.Sequential(
            nn.Linear(3, 64), nn.SiLU(), nn.Linear(64, 64), nn.Dropout(0.1), nn.Linear(64, 1)
        )

    def draw_batch(self, generator, step):
        """Draw points."""
        while step == HELD and self.hold.exists():
            time.sleep(0.01)
        return (torch.randn(self.batch_size, 3, generator=generator),)

    def loss(self, drawn):
        """Compare with a curve."""
        (x,) = drawn
        return (self.networks(x).float() - x.square().sum(1, keepdim=True)).square().mean()


def study(work):
    """Take every step that is missing."""
    distributed.run_process(0, 1, work / f"meeting-{time.monotonic_ns()}", ToyTask, work)


def checkpoint(work):
    """Read the checkpoint; before there is one, its step is 0."""
    path = work / "toy.ckpt"
    return torch.load(path, weights_only=True) if path.exists() else {"step": 0}


def killed(work):
    """Study in a process that is killed in the middle of a step, and of writing."""
    (work / "hold").touch()
    process = subprocess.Popen([*MYSELF, work])
    try:
        deadline = time.monotonic() + TIMEOUT
        while checkpoint(work)["step"] < HELD:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        process.kill()
    assert process.wait() == -signal.SIGKILL
    (work / "hold").unlink()
    (work / "toy.new").write_bytes(b"half of a checkpoint")


def values(state, path=""):
    """Yield every value of a checkpoint with where it is, tensors as bytes."""
    if isinstance(state, dict | list):
        for key, value in state.items() if isinstance(state, dict) else enumerate(state):
            yield from values(value, f"{path}/{key}")
    elif isinstance(state, torch.Tensor):
        yield path, (state.dtype, tuple(state.shape), state.numpy().tobytes())
    else:
        yield path, state


def test_a_killed_stage_resumes_to_the_same_bytes(tmp_path):
    """It ends as if nothing had been: networks, average and optimizer, whenever it was saved."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()

    study(whole)
    killed(broken)
    halfway = dict(values(checkpoint(broken)))
    study(broken)

    wanted, found = (dict(values(checkpoint(work))) for work in (whole, broken))
    assert halfway["/step"] == HELD
    assert wanted["/step"] == STEPS
    assert found == wanted != halfway


def test_a_killed_stage_leaves_no_process(tmp_path):
    """Its crew ends with it, so that nobody writes beside the one who resumes."""
    hold = tmp_path / "hold"
    hold.touch()
    process = psutil.Popen([*MYSELF, tmp_path, "crew"])
    crew = []
    try:
        deadline = time.monotonic() + TIMEOUT
        while checkpoint(tmp_path)["step"] < HELD:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        crew = process.children(recursive=True)
        process.kill()
        process.wait()
        hold.unlink()
        _, left = psutil.wait_procs(crew, timeout=60)
    finally:
        for each in [process, *crew]:
            if each.is_running():
                each.kill()

    assert len(crew) >= 2
    assert left == []
    assert checkpoint(tmp_path)["step"] < STEPS


if __name__ in {"__main__", "__mp_main__"}:  # the second is what the crew calls it
    distributed.SAVE_SECONDS = 0.0
if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[2:] == ["crew"]:
        distributed.train_distributed(ToyTask, Path(sys.argv[1]))
    else:
        study(Path(sys.argv[1]))
