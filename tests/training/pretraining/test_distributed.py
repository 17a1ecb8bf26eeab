"""Long training resumes exactly, and two processes stay in step."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from training.pretraining.distributed import lr_factor, run_process, train_distributed


class LineTask:
    """Fits a line to y = 3 x."""

    name = "line"
    batch_size = 4
    learning_rate = 0.3
    muon_learning_rate = 0.0
    ema_decay = 0.9

    def __init__(self, work):
        self.steps = int((work / "steps").read_text())
        self.networks = nn.Linear(1, 1)

    def draw_batch(self, generator, step):  # noqa: ARG002
        """Return random points."""
        return (torch.randn(self.batch_size, 1, generator=generator),)

    def loss(self, batch):
        """Return the squared error from the true line."""
        (x,) = batch
        return (self.networks(x).float() - 3 * x).square().mean()


def train_in_pieces(work, *stops):
    """Train in one or more pieces and return the checkpoint."""
    work.mkdir()
    for stop in stops:
        (work / "steps").write_text(str(stop))
        run_process(0, 1, work / f"meeting-{stop}", LineTask, work)
    return torch.load(work / "line.ckpt", weights_only=True)


def test_the_last_step_is_saved(tmp_path):
    """The network learns, and its last step is saved with its average."""
    state = train_in_pieces(tmp_path / "whole", 60)

    assert state["step"] == 60
    assert state["networks"].keys() == state["average"].keys()
    assert state["networks"]["weight"].item() > 1


def test_the_same_schedule_gives_the_same_weights(tmp_path):
    """The step alone seeds all draws: two trainings have equal weights, byte for byte."""
    first, second = train_in_pieces(tmp_path / "a", 5), train_in_pieces(tmp_path / "b", 5)

    assert torch.equal(first["networks"]["weight"], second["networks"]["weight"])


@pytest.mark.slow(10)
def test_one_process_does_the_work_of_two(tmp_path):
    """One process that takes both shares in turn learns the same as two processes."""
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "steps").write_text("5")

    train_distributed(LineTask, tmp_path / "two")
    one = train_in_pieces(tmp_path / "one", 5)

    two = torch.load(tmp_path / "two" / "line.ckpt", weights_only=True)
    assert torch.allclose(one["networks"]["weight"], two["networks"]["weight"], atol=1e-6)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_learns_the_same(tmp_path):
    """A GPU learns from the batches drawn on the CPU, to the precision of bf16."""
    (tmp_path / "gpu").mkdir()
    (tmp_path / "gpu" / "steps").write_text("60")

    train_distributed(LineTask, tmp_path / "gpu")

    state = torch.load(tmp_path / "gpu" / "line.ckpt", weights_only=True, map_location="cpu")
    assert state["step"] == 60
    assert state["networks"]["weight"].item() > 1


def test_a_stopped_training_goes_on(tmp_path):
    """A training in two pieces takes every step once and keeps its average."""
    state = train_in_pieces(tmp_path / "pieces", 30, 60)

    assert state["step"] == 60
    assert abs(state["networks"]["weight"].item() - state["average"]["weight"].item()) < 1


def test_the_rate_warms_up_and_falls():
    """The learning rate starts small, is full after the warm-up and ends near zero."""
    assert lr_factor(0, 1000) < 0.05
    assert lr_factor(60, 1000) > 0.95
    assert lr_factor(999, 1000) < 0.02
