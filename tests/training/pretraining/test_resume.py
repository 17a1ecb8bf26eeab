"""A stage of the recipe that is killed resumes where it was, to the same bytes.

`python -m …test_resume WORK` runs a small stage in one process and saves each step; with `crew`
behind it, in two processes.
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
TIMEOUT = 300  #: seconds; only ends a hang


class ToyTask:
    """Trains a small network; waits at step `HELD` while there is a file `hold`."""

    name = "toy"
    steps, batch_size, learning_rate, muon_learning_rate, ema_decay = STEPS, 4, 0.05, 0.02, 0.9

    def __init__(self, work):
        self.hold = work / "hold"
        self.networks = nn.Sequential(
            nn.Linear(3, 64), nn.SiLU(), nn.Linear(64, 64), nn.Dropout(0.1), nn.Linear(64, 1)
        )

    def draw_batch(self, generator, step):
        """Return random points."""
        while step == HELD and self.hold.exists():
            time.sleep(0.01)
        return (torch.randn(self.batch_size, 3, generator=generator),)

    def loss(self, batch):
        """Return the squared error from a curve."""
        (x,) = batch
        return (self.networks(x).float() - x.square().sum(1, keepdim=True)).square().mean()


def train_to_the_end(work):
    """Take every step that is missing."""
    distributed.run_process(0, 1, work / f"meeting-{time.monotonic_ns()}", ToyTask, work)


def read_checkpoint(work):
    """Return the checkpoint, or only step 0 if there is none yet."""
    path = work / "toy.ckpt"
    return torch.load(path, weights_only=True) if path.exists() else {"step": 0}


def train_until_killed(work):
    """Train in a process that is killed in the middle of a step, leaving half a checkpoint."""
    (work / "hold").touch()
    process = subprocess.Popen([*MYSELF, work])
    try:
        deadline = time.monotonic() + TIMEOUT
        while read_checkpoint(work)["step"] < HELD:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        process.kill()
    assert process.wait() == -signal.SIGKILL
    (work / "hold").unlink()
    (work / "toy.new").write_bytes(b"half of a checkpoint")


def list_values(state, path=""):
    """Yield every value of a checkpoint with its path, tensors as bytes."""
    if isinstance(state, dict | list):
        for key, value in state.items() if isinstance(state, dict) else enumerate(state):
            yield from list_values(value, f"{path}/{key}")
    elif isinstance(state, torch.Tensor):
        yield path, (state.dtype, tuple(state.shape), state.numpy().tobytes())
    else:
        yield path, state


def test_a_killed_stage_resumes_to_the_same_bytes(tmp_path):
    """Networks, average and optimizer end as if the stage had never been killed."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()

    train_to_the_end(whole)
    train_until_killed(broken)
    halfway = dict(list_values(read_checkpoint(broken)))
    train_to_the_end(broken)

    wanted, found = (dict(list_values(read_checkpoint(work))) for work in (whole, broken))
    assert halfway["/step"] == HELD
    assert wanted["/step"] == STEPS
    assert found == wanted != halfway


def test_a_killed_stage_leaves_no_process(tmp_path):
    """Its worker processes end with it, so that none writes beside the run that resumes."""
    hold = tmp_path / "hold"
    hold.touch()
    process = psutil.Popen([*MYSELF, tmp_path, "crew"])
    workers = []
    try:
        deadline = time.monotonic() + TIMEOUT
        while read_checkpoint(tmp_path)["step"] < HELD:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        workers = process.children(recursive=True)
        process.kill()
        process.wait()
        hold.unlink()
        _, left = psutil.wait_procs(workers, timeout=60)
    finally:
        for each in [process, *workers]:
            if each.is_running():
                each.kill()

    assert len(workers) >= 2
    assert left == []
    assert read_checkpoint(tmp_path)["step"] < STEPS


if __name__ in {"__main__", "__mp_main__"}:  # the second is its name in the worker processes
    distributed.SAVE_SECONDS = 0.0
if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[2:] == ["crew"]:
        distributed.train_distributed(ToyTask, Path(sys.argv[1]))
    else:
        train_to_the_end(Path(sys.argv[1]))
