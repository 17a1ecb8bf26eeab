"""A step that is replayed as a graph is the step computed op by op."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.fakes import cuda
from training.run.step import WARMUP_STEPS, EagerStepper, GraphStepper, OptimizerStep

CPU = torch.device("cpu")
SIDES = (4, 4, 4, 4, 4, 6, 4, 6, 6, 6, 6, 4)  #: of the pictures of each step: two shapes


def make_step(loss=None):
    """Return a step that fits a small network."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.GroupNorm(2, 4), nn.SiLU(), nn.Conv2d(4, 1, 1))
    optimizer = torch.optim.AdamW(network.parameters(), 1e-2, fused=True)
    chosen = loss or (lambda given: (network(given["x"]) - given["y"]).square().mean())
    return network, OptimizerStep(chosen, list(network.parameters()), optimizer)


def take_steps(make_stepper, sides=SIDES):
    """Train by a stepper; return losses and weights."""
    network, step = make_step()
    stepper, generator = make_stepper(step), torch.Generator().manual_seed(1)
    losses = []
    for side in sides:
        x = torch.randn(2, 1, side, side, generator=generator)
        losses.append(stepper({"x": x, "y": x[:, :, 1:-1, 1:-1] * 2}).clone())
    return torch.stack(losses), nn.utils.parameters_to_vector(network.parameters())


def test_replayed_steps_are_the_eager_ones():
    """Losses and weights are the same, for batches of several shapes in any order."""
    losses, weights = take_steps(lambda step: EagerStepper(step, CPU))

    replayed = take_steps(lambda step: GraphStepper(step, CPU, cuda))

    assert torch.equal(replayed[0], losses)
    assert torch.equal(replayed[1], weights)
    assert len(set(losses.tolist())) == len(SIDES)


def test_each_shape_is_captured_once():
    """A shape is warmed up with real steps, then captured once and replayed."""
    made = []

    def make_stepper(step):
        made.append(GraphStepper(step, CPU, cuda))
        return made[0]

    take_steps(make_stepper)

    graphs = made[0].graphs.values()
    counts = [SIDES.count(side) - WARMUP_STEPS for side in (4, 6)]
    assert [shape.graph.replays for shape in graphs] == counts


def test_a_step_that_reads_the_device_cannot_be_captured():
    """What would make the CPU wait within a step fails at the capture, and changes no weight."""
    network, step = make_step()
    reading = OptimizerStep(
        lambda given: step.loss(given) * (2 if step.loss(given).item() else 1),
        step.parameters,
        step.optimizer,
    )
    stepper, given = GraphStepper(reading, CPU, cuda), {"x": torch.ones(1, 1, 4, 4)}
    given["y"] = torch.zeros(1, 1, 2, 2)
    for _ in range(WARMUP_STEPS):
        stepper(given)
    before = nn.utils.parameters_to_vector(network.parameters()).clone()

    with pytest.raises(cuda.CaptureError):
        stepper(given)

    assert torch.equal(nn.utils.parameters_to_vector(network.parameters()), before)
