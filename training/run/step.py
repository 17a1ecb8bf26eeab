"""How a step is computed: op by op, compiled, or replayed as one CUDA graph.

Python needs longer to queue the thousands of small kernels of a step than a large GPU needs to run
them. A CUDA graph is queued with one call. It reads and writes the same memory at each replay, so
inputs are copied into buffers that stay, one set for each combination of shapes; whatever changes
from step to step must be one of the inputs.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from training.device import send

Inputs = Mapping[str, Tensor]  #: what a loss is computed from: noisy latents, conditions, ...
MAX_SHAPES = 4  #: that get a graph; each keeps buffers, and takes a capture
MAX_QUEUED_STEPS = 2  #: that a GPU has not run: Python queues a hundred graphs in a second
WARMUP_STEPS = 3  #: steps of one shape before it is captured: libraries allocate in the first ones
MAX_WRONG = 0.05  #: relative difference between the losses of a first replay and of its inputs
MAX_GRADIENT_NORM = 1.0  #: L2, over the gradients of all parameters together
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MicroBatch:
    """Inputs whose gradients are computed together; a step adds those of one or several."""

    inputs: Inputs
    weight: float = 1.0  #: of its loss
    reported: bool = True  #: whether its loss counts in what the step reports


@dataclass(frozen=True, slots=True)
class OptimizerStep:
    """Forward and backward of each micro-batch, clipping, update."""

    loss: Callable[[Inputs], Tensor]
    parameters: Iterable[torch.nn.Parameter]
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    autocast: Callable[[], AbstractContextManager[Any]]

    def __call__(self, batches: Sequence[MicroBatch]) -> Tensor:
        """Take the step; return its loss and the gradients' norm (2,), on the device."""
        # 1) Gradients of all micro-batches.
        losses, scaler = list[Tensor](), self.scaler
        for batch in batches:
            with self.autocast():
                loss = self.loss(batch.inputs)
            weighted = loss * batch.weight if batch.weight != 1 else loss
            scaler.scale(weighted).backward()  # type: ignore[no-untyped-call]
            if batch.reported:
                losses.append(loss.detach())

        # 2) Clip in true units: fp16's scale has to go first.
        scaler.unscale_(self.optimizer)
        most = MAX_GRADIENT_NORM
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, most, foreach=True)

        # 3) The update; with fp16 it is left out where a gradient overflowed.
        scaler.step(self.optimizer)
        scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        loss = losses[0] if len(losses) == 1 else torch.stack(losses).mean()
        return torch.stack((loss, norm.to(loss)))

    @torch.no_grad()
    def measure_loss(self, batches: Sequence[MicroBatch]) -> Tensor:
        """Return the loss that the step would report, computed op by op; nothing is learned."""
        loss = self.loss.eager if isinstance(self.loss, CompiledLoss) else self.loss
        with self.autocast():
            losses = [loss(batch.inputs) for batch in batches if batch.reported]
        return torch.stack(losses).mean()


Stepper = Callable[[Sequence[MicroBatch]], Tensor]  #: an OptimizerStep itself, or a GraphStepper


def describe_shapes(batches: Sequence[MicroBatch]) -> tuple[object, ...]:
    """Return what steps have in common that are the same operations on other numbers."""
    return tuple(
        (batch.weight, *((name, each.shape) for name, each in batch.inputs.items()))
        for batch in batches
    )


class CompiledLoss:
    """Computes a loss, with its gradients, as torch.compile makes it for each shape of inputs.

    One that cannot be compiled in one piece is computed op by op from then on.
    """

    def __init__(self, loss: Callable[[Inputs], Tensor], **options: Any) -> None:
        from torch._dynamo.exc import TorchDynamoException  # noqa: PLC0415 - seconds, and rarely

        torch.compiler.reset()  # it keeps what eight trainings compiled, and refuses the ninth
        self.eager, self.refusal = loss, TorchDynamoException
        self.compiled = torch.compile(loss, dynamic=False, fullgraph=True, **options)
        self.refused = ""  #: why it could not be compiled

    def __call__(self, inputs: Inputs) -> Tensor:
        """Return the loss of inputs."""
        if self.refused:
            return self.eager(inputs)
        try:
            return self.compiled(inputs)
        except self.refusal as refused:
            self.refused = str(refused)
            log.warning("Steps are computed op by op, not compiled. %s", self.refused[:500])
            return self.eager(inputs)


class WrongReplay(RuntimeError):  # noqa: N818 - it says what happened
    """A replayed step had another loss than its inputs: the weights are not to be trusted."""


class GraphStepper:
    """Replays each step as one CUDA graph, after a few eager steps of the same shapes.

    All of those are real steps: none is taken twice. A step that cannot be captured is computed
    op by op from then on. `fixed` are tensors that the step reads beside its inputs: where one was
    moved, the step is captured anew. `cuda` stands for `torch.cuda`.

    Raises WrongReplay if the first replay of a graph has another loss than its inputs.
    """

    def __init__(
        self,
        step: Stepper,
        device: torch.device,
        fixed: Sequence[Tensor] = (),
        cuda: Any = torch.cuda,
    ) -> None:
        self.step, self.device, self.fixed, self.cuda = step, device, fixed, cuda
        self.known = step if isinstance(step, OptimizerStep) else None  #: can be checked
        self.stream = cuda.Stream()  # capturing needs one that is not the default
        self.pool = cuda.graph_pool_handle()  # of all graphs: they never run at once
        self.graphs: dict[Any, ShapeGraph] = {}
        self.queued = deque[Any]()  #: an event at the end of each step that may still run
        self.refused = ""  #: why a step could not be captured

    def __call__(self, batches: Sequence[MicroBatch]) -> Tensor:
        """Take a step; return what it reports, on the device."""
        shapes = describe_shapes(batches)
        if shapes not in self.graphs:
            if self.refused or len(self.graphs) == MAX_SHAPES:
                return self.step(batches)
            self.graphs[shapes] = ShapeGraph(self, batches)
        reported = self.graphs[shapes].take(batches)
        self.limit_queue()
        return reported

    def limit_queue(self) -> None:
        """Wait until few steps are left to run: a sample that is asked for comes after them."""
        done = self.cuda.Event(blocking=True)  # the CPU sleeps meanwhile
        done.record()
        self.queued.append(done)
        if len(self.queued) > MAX_QUEUED_STEPS:
            self.queued.popleft().synchronize()

    def locate(self) -> list[int]:
        """Return where the fixed tensors are."""
        return [tensor.data_ptr() for tensor in self.fixed]


class ShapeGraph:
    """The graph of the steps whose inputs have the same shapes, and the buffers it reads."""

    def __init__(self, stepper: GraphStepper, batches: Sequence[MicroBatch]) -> None:
        self.stepper = stepper
        self.buffers = [
            MicroBatch(
                {
                    name: torch.empty_like(tensor, device=stepper.device)
                    for name, tensor in batch.inputs.items()
                },
                batch.weight,
                batch.reported,
            )
            for batch in batches
        ]
        self.steps = 0  #: taken before the capture
        self.graph: Any = None
        self.places: list[int] = []
        self.loss = torch.zeros((), device=stepper.device)

    def take(self, batches: Sequence[MicroBatch]) -> Tensor:
        """Take a step: warm up, capture, or replay."""
        for buffer, batch in zip(self.buffers, batches, strict=True):
            for name, tensor in batch.inputs.items():
                buffer.inputs[name].copy_(send(tensor, self.stepper.device), non_blocking=True)
        if self.steps < WARMUP_STEPS:
            self.steps += 1
            return self.warm_up()
        if fresh := self.graph is None or self.places != self.stepper.locate():
            self.graph = None if self.stepper.refused else self.capture()
        if self.graph is None:
            return self.stepper.step(self.buffers)
        if fresh and self.stepper.known is not None:
            self.replay_checked(self.stepper.known)
        else:
            self.graph.replay()
        return self.loss.clone()  # the next replay overwrites it

    def replay_checked(self, step: OptimizerStep) -> None:
        """Replay a new graph; raise WrongReplay if that was another step than asked for."""
        expected = float(step.measure_loss(self.buffers))
        self.graph.replay()
        found = float(self.loss[0])
        if math.isfinite(expected) and not abs(found - expected) <= MAX_WRONG * abs(expected):
            raise WrongReplay(f"a replayed step has a loss of {found:.4g}, not {expected:.4g}")

    def warm_up(self) -> Tensor:
        """Take a step op by op on the stream of captures."""
        cuda, stream = self.stepper.cuda, self.stepper.stream
        stream.wait_stream(cuda.current_stream())
        with cuda.stream(stream):
            loss = self.stepper.step(self.buffers)
        cuda.current_stream().wait_stream(stream)
        return loss

    def capture(self) -> Any:
        """Record the kernels of a step, none of which runs; return the graph, None if refused."""
        stepper, captured = self.stepper, self.stepper.cuda.CUDAGraph()
        self.places = stepper.locate()
        try:
            # Other threads may use the GPU meanwhile: one copies checkpoints.
            with stepper.cuda.graph(
                captured, stepper.pool, stepper.stream, capture_error_mode="thread_local"
            ):
                self.loss = stepper.step(self.buffers)
        except RuntimeError as refused:  # or no memory for it beside what is kept
            stepper.refused = str(refused)
            log.warning("Steps are computed op by op: no CUDA graph of them. %s", refused)
            if stepper.known is not None:  # gradients that were not computed
                stepper.known.optimizer.zero_grad(set_to_none=True)
            captured.reset()
            stepper.cuda.empty_cache()
            return None
        return captured
