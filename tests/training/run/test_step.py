"""A step that is replayed as a graph is the step computed op by op."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import _get_current_dispatch_mode

from tests.fakes import cuda
from training.run.step import (
    MAX_SHAPES,
    WARMUP_STEPS,
    CompiledLoss,
    GraphStepper,
    MicroBatch,
    OptimizerStep,
    WrongReplay,
)

CPU = torch.device("cpu")
SIDES = (4, 4, 4, 4, 4, 6, 4, 6, 6, 6, 6, 4)  #: of the pictures of each step: two shapes


class Training:
    """A small network that learns by a stepper of its step."""

    def __init__(self, make_stepper=lambda step: step, device=CPU, **more):
        torch.manual_seed(0)
        self.device = device
        layers = nn.Conv2d(1, 4, 3), nn.GroupNorm(2, 4), nn.SiLU(), nn.Conv2d(4, 1, 1)
        self.network = nn.Sequential(*layers).to(device)
        optimizer = torch.optim.AdamW(
            self.network.parameters(), 1e-2, fused=True, capturable=device.type == "cuda"
        )
        scaler = torch.amp.GradScaler("cpu", enabled=False)
        parameters = list(self.network.parameters())
        step = OptimizerStep(self.loss, parameters, optimizer, scaler, nullcontext)
        self.stepper = make_stepper(replace(step, **more))
        self.generator = torch.Generator().manual_seed(1)
        self.losses = []

    def loss(self, inputs):
        """Return the error from the doubled middle."""
        x = inputs["x"].to(self.device)
        return (self.network(x) - 2 * x[:, :, 1:-1, 1:-1]).square().mean()

    def take(self, sides=SIDES, count=1):
        """Take steps of `count` micro-batches; return all losses so far and the weights."""
        for side in sides:
            drawn = [
                {"x": torch.randn(2, 1, side, side, generator=self.generator)}
                for _ in range(count)
            ]
            batches = [MicroBatch(each, 1 / count, not at) for at, each in enumerate(drawn)]
            self.losses.append(self.stepper(batches).clone())
        return torch.stack(self.losses), self.weights()

    def weights(self):
        """Return a copy of the weights."""
        return nn.utils.parameters_to_vector(self.network.parameters()).detach().clone()


def make_graph(step):
    """Return a stepper that replays a step."""
    return GraphStepper(step, CPU, list(step.parameters), cuda)


def assert_same(one, other):
    """Losses and weights are the same bytes."""
    assert all(torch.equal(*pair) for pair in zip(one, other, strict=True))


def test_replayed_steps_are_the_eager_ones():
    """Losses and weights are the same, for batches of several shapes in any order."""
    losses, weights = Training().take()

    assert_same(Training(make_graph).take(), (losses, weights))
    assert len({loss for loss, _ in losses.tolist()}) == len(SIDES)


def test_each_shape_is_captured_once():
    """A shape is warmed up with real steps, then captured once and replayed."""
    training = Training(make_graph)

    training.take()

    graphs = training.stepper.graphs.values()
    assert [each.graph.replays for each in graphs] == [
        SIDES.count(side) - WARMUP_STEPS for side in (4, 6)
    ]


def test_several_micro_batches_are_one_graph():
    """Accumulated gradients are the eager ones; only reported losses count."""
    assert_same(Training(make_graph).take(count=3), Training().take(count=3))


def test_more_shapes_than_have_a_graph_are_computed_op_by_op():
    """Further shapes get no buffers and no capture."""
    sides, training = (4, 5, 6, 7, 8, 8, 8, 8, 8), Training(make_graph)

    found = training.take(sides)

    assert_same(found, Training().take(sides))
    assert len(training.stepper.graphs) == MAX_SHAPES


def test_a_step_that_reads_the_device_is_computed_op_by_op():
    """What would make the CPU wait within a step is never captured; the step is taken once."""
    training, plain = Training(), Training()
    reading = replace(training.stepper, loss=lambda given: plain_loss(training.loss(given)))
    training.stepper = make_graph(reading)

    assert_same(training.take(), plain.take())
    assert "not permitted" in training.stepper.refused


def plain_loss(loss):
    """Return the loss after a look at it."""
    return loss if loss.item() > 0 else -loss


def test_no_memory_for_a_graph_leaves_steps_eager():
    """They need none beside what they had, and gradients that were not computed are dropped."""
    training, plain = Training(), Training()
    training.stepper = make_graph(replace(training.stepper, parameters=FullMemory(training)))

    assert_same(training.take(), plain.take())
    assert "memory" in training.stepper.refused


class FullMemory(list):
    """The parameters of a training; while a step is captured, memory ends after its backward."""

    def __init__(self, training):
        super().__init__(training.network.parameters())

    def __iter__(self):
        """Yield them."""
        if isinstance(_get_current_dispatch_mode(), cuda.Recording):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().__iter__()


def test_a_replay_of_another_step_is_noticed():
    """A number that Python baked into the graph gives its first replay another loss."""
    training, scale = Training(), iter(range(1, 99))
    wrong = replace(training.stepper, loss=lambda given: training.loss(given) * next(scale))
    training.stepper = make_graph(wrong)

    with pytest.raises(WrongReplay):
        training.take()


def test_no_more_than_two_steps_are_queued():
    """The CPU waits for the step before them, and so does a sample that is asked for."""
    waited = []

    class Event(cuda.Event):
        def synchronize(self):
            waited.append(self)

    watched = SimpleNamespace(**vars(cuda) | {"Event": Event})
    training = Training(lambda step: GraphStepper(step, CPU, (), watched))

    training.take()

    assert len(training.stepper.queued) == 2
    assert len(waited) == len(SIDES) - 2


def test_a_moved_tensor_is_captured_anew():
    """Weights that were put elsewhere in between are read where they are."""
    training, plain = Training(make_graph), Training()
    for each in (training, plain):
        each.take()
        for parameter in each.network.parameters():
            parameter.data = parameter.data.clone()

    assert_same(training.take(), plain.take())


def test_a_compiled_loss_is_the_eager_one():
    """Tracing changes no byte of losses and weights; what generates code is tried by hand."""
    compiled, plain = Training(), Training()
    compiled.stepper = replace(compiled.stepper, loss=CompiledLoss(compiled.loss, backend="eager"))

    assert_same(compiled.take((4, 4, 6)), plain.take((4, 4, 6)))
    assert not compiled.stepper.loss.refused


def test_a_loss_that_cannot_be_compiled_is_computed_op_by_op():
    """A look at the device breaks it in two, so it stays as it is, and the log says why."""
    compiled, plain = Training(), Training()
    looking = CompiledLoss(lambda given: plain_loss(compiled.loss(given)), backend="eager")
    compiled.stepper = replace(compiled.stepper, loss=looking)

    assert_same(compiled.take((4, 4)), plain.take((4, 4)))
    assert looking.refused


def test_more_trainings_are_compiled_than_torch_remembers():
    """Each has networks of its own; torch compiles one function eight times at most."""

    class Linear:
        def __init__(self, factor):
            self.factor = factor

        def loss(self, inputs):
            return (inputs["x"] * self.factor).sum()

    for factor in range(10):
        compiled = CompiledLoss(Linear(factor).loss, backend="eager")
        assert compiled({"x": torch.ones(2)}) == 2 * factor
        assert not compiled.refused


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_replays_the_eager_steps():
    """On a GPU, losses and weights agree to rounding, and no step is refused."""
    device = torch.device("cuda")
    eager = Training(device=device).take()

    replayed = Training(
        lambda step: GraphStepper(step, device, list(step.parameters)), device=device
    )

    for one, other in zip(replayed.take(), eager, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
    assert not replayed.stepper.refused
