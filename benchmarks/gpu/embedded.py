"""A step of the recipe that the shipped denoiser was trained by: eager, and as CUDA graphs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import torch
import torch.distributed as dist
from diffusers.models.attention_processor import AttnProcessor
from torch import nn

from benchmarks.gpu.bench import NO_GRAPHS, Bench
from benchmarks.gpu.figures import Figure
from benchmarks.speed.overhead import Step
from benchmarks.speed.training import time_steps
from training.pretraining.distributed import SHARES, Batch, train_step
from training.pretraining.layout import (
    LATENT_CHANNELS,
    TOKENS,
    make_scheduler,
    make_text_encoder,
    make_unet,
)
from training.pretraining.optimizer import Optimizer
from training.pretraining.unet import UnetTask
from training.run.step import WARMUP_STEPS, GraphStepper, MicroBatch

VOCABULARY = 4000  #: tokens, about as many as the shipped tokenizer has
BAR = 1 / 20  #: seconds of a step on a GPU
BATCH_SIZES = UnetTask.batch_size, 1
TIMED_STEPS = 30, 1  #: on a GPU, in a rehearsal
NAMES = "latents", "noise", "timesteps", "ids"  #: of a batch


class RandomUnetTask(UnetTask):
    """The denoiser's stage on random latents and captions."""

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size
        unet, text = make_unet(), make_text_encoder(VOCABULARY, 0, 1)
        unet.set_attn_processor(AttnProcessor())
        text.set_attn_implementation("eager")
        self.networks = nn.ModuleDict({"unet": unet, "text": text})
        self.noise = make_scheduler()

    def draw_batch(self, generator: torch.Generator, step: int) -> Batch:  # noqa: ARG002
        """Return random latents, noise, timesteps and token ids."""
        shape = self.batch_size, LATENT_CHANNELS, 16, 16
        latents, noise = (torch.randn(shape, generator=generator) for _ in range(2))
        timesteps = torch.randint(1000, shape[:1], generator=generator)
        ids = torch.randint(VOCABULARY, (shape[0], TOKENS), generator=generator)
        return latents, noise, timesteps, ids


class GraphStep:
    """The step with forward, backward and clipping in a graph; the optimizer, too, if `whole`.

    In a whole graph the learning rates stay those of the capture.
    """

    def __init__(self, task: RandomUnetTask, bench: Bench, *, whole: bool) -> None:
        self.task, self.whole, self.optimizer = task, whole, Optimizer(task)
        self.device = next(task.networks.parameters()).device
        for group in self.optimizer.optimizers[0][0].param_groups:
            group["capturable"] = self.device.type == "cuda"
        self.stepper = GraphStepper(self.compute, self.device, (), bench.cuda)
        self.gradients: list[torch.Tensor | None] = []

    def __call__(self, batches: dict[int, Batch]) -> None:
        """Take a step."""
        named = {
            f"{name} {share}": tensor
            for share, batch in batches.items()
            for name, tensor in zip(NAMES, batch, strict=True)
        }
        self.stepper([MicroBatch(named)])
        if not self.whole:
            for parameter, gradient in zip(self.optimizer.parameters, self.gradients, strict=True):
                parameter.grad = gradient
            self.optimizer.step(1.0)

    def compute(self, batches: Sequence[MicroBatch]) -> torch.Tensor:
        """Return the loss; leave clipped gradients, or take the whole step."""
        losses, inputs = [], batches[0].inputs
        for parameter in self.optimizer.parameters:
            parameter.grad = None
        for share in range(SHARES):
            with torch.autocast(self.device.type, torch.bfloat16):
                loss = self.task.loss(tuple(inputs[f"{name} {share}"] for name in NAMES))
            loss.backward()  # type: ignore[no-untyped-call]
            losses.append(loss.detach())
        self.gradients = [parameter.grad for parameter in self.optimizer.parameters]
        given = [each for each in self.gradients if each is not None]
        norm = torch.nn.utils.get_total_norm(given) / SHARES
        torch._foreach_mul_(given, (1 / (norm + 1e-6)).clamp(max=1) / SHARES)
        if self.whole:
            self.optimizer.step(1.0)
        return torch.stack(losses).mean()


@contextmanager
def joined(bench: Bench) -> Iterator[None]:
    """Be the only process of a group inside the block, as the recipe asks for one."""
    rendezvous = bench.place / "rendezvous"
    dist.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=0, world_size=1)
    try:
        yield
    finally:
        dist.destroy_process_group()


def measure(bench: Bench) -> Iterator[Figure]:
    """Time the recipe's own step, and two ways to put it into a graph."""
    device, steps = bench.device(), bench.choose(*TIMED_STEPS)
    task = RandomUnetTask(bench.choose(*BATCH_SIZES))
    task.networks.to(device.torch_device)
    if bench.cpu:
        task.muon_learning_rate = 0.0  # its products take seconds here
    generator = torch.Generator().manual_seed(0)
    batches = {share: task.draw_batch(generator, 0) for share in range(SHARES)}
    what = f"embedded UNet's recipe, {SHARES} x {task.batch_size} pictures: a step"
    with joined(bench):
        eager: Step = partial(train_step, task, Optimizer(task), 0, batches)  # type: ignore[assignment]
        time_steps(device, eager, bench.choose(2, 1))
        yield Figure(f"{what}, eager", time_steps(device, eager, steps), "s")
    if not bench.cuda:
        yield Figure(f"{what}, CUDA graph", NO_GRAPHS)
        return
    for name, whole in (("forward and backward", False), ("whole, rates constant", True)):
        graph: Step = partial(GraphStep(task, bench, whole=whole), batches)
        time_steps(device, graph, bench.choose(WARMUP_STEPS + 1, WARMUP_STEPS))
        bar = None if bench.cpu or whole else BAR
        yield Figure(f"{what}, CUDA graph of {name}", time_steps(device, graph, steps), "s", bar)
