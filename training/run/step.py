"""How a step is computed: op by op, or replayed as one CUDA graph.

Python needs longer to queue the thousands of small kernels of a step than a large GPU needs to run
them. A CUDA graph is queued with one call. It reads and writes the same memory at each replay, so
inputs are copied into buffers that stay, one set for each combination of shapes; whatever changes
from step to step must be one of the inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Inputs = Mapping[str, Tensor]  #: what a step reads: latents, timesteps, conditions, ...
Shapes = tuple[tuple[str, tuple[int, ...]], ...]
MAX_SHAPES = 4  #: that get a graph; each keeps buffers, and takes a capture
WARMUP_STEPS = 3  #: steps of one shape before it is captured: libraries allocate in the first ones
MAX_GRADIENT_NORM = 1.0  #: L2, over the gradients of all parameters together


@dataclass(frozen=True)
class OptimizerStep:
    """One optimizer step in full precision or bf16: forward, backward, clipping, update."""

    loss: Callable[[Inputs], Tensor]
    parameters: Iterable[torch.nn.Parameter]
    optimizer: torch.optim.Optimizer

    def __call__(self, inputs: Inputs) -> Tensor:
        """Take the step; return its loss, a scalar on the device."""
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(inputs)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.parameters, MAX_GRADIENT_NORM, foreach=True)
        self.optimizer.step()
        return loss.detach()


class EagerStepper:
    """Computes each step op by op."""

    name = "eager"

    def __init__(self, step: Callable[[Inputs], Tensor], device: torch.device) -> None:
        self.step, self.device = step, device

    def __call__(self, inputs: Inputs) -> Tensor:
        """Take a step; return its loss, a scalar on the device."""
        return self.step({name: tensor.to(self.device) for name, tensor in inputs.items()})


class GraphStepper:
    """Replays each step as one CUDA graph, after a few eager steps of the same shapes.

    All of those are real steps: none is taken twice. `cuda` stands for `torch.cuda`.
    """

    name = "graph"

    def __init__(
        self, step: Callable[[Inputs], Tensor], device: torch.device, cuda: Any = torch.cuda
    ) -> None:
        self.step, self.device, self.cuda = step, device, cuda
        self.stream = cuda.Stream()  # capturing needs one that is not the default
        self.pool = cuda.graph_pool_handle()  # of all graphs: they never run at once
        self.graphs: dict[Shapes, ShapeGraph] = {}

    def __call__(self, inputs: Inputs) -> Tensor:
        """Take a step; return its loss, a scalar on the device."""
        shapes = tuple(sorted((name, tuple(each.shape)) for name, each in inputs.items()))
        if shapes not in self.graphs:
            if len(self.graphs) == MAX_SHAPES:
                return EagerStepper(self.step, self.device)(inputs)
            self.graphs[shapes] = ShapeGraph(self, inputs)
        return self.graphs[shapes].take(inputs)


class ShapeGraph:
    """The graph of the steps whose inputs have the same shapes, and the buffers it reads."""

    def __init__(self, stepper: GraphStepper, inputs: Inputs) -> None:
        self.stepper = stepper
        self.buffers = {
            name: torch.empty_like(tensor, device=stepper.device)
            for name, tensor in inputs.items()
        }
        self.steps = 0  #: taken before the capture
        self.graph: Any = None
        self.loss = torch.zeros((), device=stepper.device)

    def take(self, inputs: Inputs) -> Tensor:
        """Take a step: warm up, capture, or replay."""
        for name, tensor in inputs.items():
            self.buffers[name].copy_(pin(tensor, self.stepper.device), non_blocking=True)
        if self.steps < WARMUP_STEPS:
            self.steps += 1
            return self.warm_up()
        if self.graph is None:
            self.capture()
        self.graph.replay()
        return self.loss.clone()  # the next replay overwrites it

    def warm_up(self) -> Tensor:
        """Take a step op by op on the stream of captures."""
        cuda, stream = self.stepper.cuda, self.stepper.stream
        stream.wait_stream(cuda.current_stream())
        with cuda.stream(stream):
            loss = self.stepper.step(self.buffers)
        cuda.current_stream().wait_stream(stream)
        return loss

    def capture(self) -> None:
        """Record the kernels of a step; none of them runs."""
        stepper, captured = self.stepper, self.stepper.cuda.CUDAGraph()
        # Other threads may use the GPU meanwhile: one copies checkpoints.
        with stepper.cuda.graph(
            captured, stepper.pool, stepper.stream, capture_error_mode="thread_local"
        ):
            self.loss = stepper.step(self.buffers)
        self.graph = captured


def pin(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a tensor whose copy to the device does not make the CPU wait for earlier steps."""
    return tensor.pin_memory() if device.type == "cuda" and not tensor.is_cuda else tensor
