"""Train for long: two one-thread processes that average their gradients, or one with a GPU.

A second OpenMP thread collapses as soon as anybody else uses the cores; two processes do not. All
batches are drawn on the CPU, so that a seed means the same everywhere; for a GPU, loader processes
draw them ahead.
"""

# ruff: noqa: T201  # a stage prints what it measured

from __future__ import annotations

import math
import os
import sys
import time
from multiprocessing import parent_process
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol

import torch
import torch.distributed as dist
from torch.optim.swa_utils import get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Dataset

from training.pretraining.optimizer import Optimizer

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

SAVE_SECONDS = 120.0  # seconds
SHARES = 2  #: batches of a step: one for each process, or one after the other in a single process
#: Processes that draw batches for a GPU; they are forked, so nothing is copied.
GPU_LOADER: dict[str, Any] = {"num_workers": 4, "multiprocessing_context": "fork"}
Batch = tuple[torch.Tensor, ...]  # the tensors a loss is computed from


class TrainingTask(Protocol):
    """What a stage defines so that it can be trained."""

    name: str
    steps: int
    batch_size: int  # of each share
    learning_rate: float
    muon_learning_rate: float  # for Muon; 0: AdamW updates everything
    ema_decay: float  # of the moving average

    @property
    def networks(self) -> nn.Module:
        """Return the networks to train."""
        ...

    def draw_batch(self, generator: torch.Generator, step: int) -> Batch:
        """Return a batch, on the CPU."""
        ...

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return the loss of a batch on the networks' device."""
        ...


class Batches(Dataset[list[Batch]]):
    """The batches of each step, for some shares; the step alone seeds them."""

    def __init__(self, task: TrainingTask, shares: range) -> None:
        self.task, self.shares = task, shares

    def __getitem__(self, step: int) -> list[Batch]:
        """Return the batches of one step."""
        generator = torch.Generator()
        batches = []
        for share in self.shares:
            seed_torch(step, share)
            generator.manual_seed((step * 64 + share) * 7919 + 17)
            batches.append(self.task.draw_batch(generator, step))
        return batches


def seed_torch(step: int, share: int) -> None:
    """Seed torch's global generator (dropout) from the step and the share."""
    torch.manual_seed((step * 64 + share) * 104_729 + 5)


def train_distributed(build: Callable[[Path], TrainingTask], work: Path) -> None:
    """Train until the task's last step, resuming at the last checkpoint."""
    processes = SHARES if compute_device().type == "cpu" else 1
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    os.environ["OMP_NUM_THREADS"] = "1"
    context = torch.multiprocessing.get_context("spawn")
    with TemporaryDirectory() as folder:
        rendezvous = Path(folder) / "rendezvous"  # a file of an earlier run would be in the way
        workers = [
            context.Process(target=run_process, args=(rank, processes, rendezvous, build, work))
            for rank in range(processes)
        ]
        for process in workers:
            process.start()
        for process in workers:
            process.join()
    if any(process.exitcode for process in workers):
        raise RuntimeError(f"A training process ended with {[p.exitcode for p in workers]}.")


def compute_device() -> torch.device:
    """Return the device that networks are trained on."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def run_process(
    rank: int, world: int, rendezvous: Path, build: Callable[[Path], TrainingTask], work: Path
) -> None:
    """Run one of the training processes."""
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=world
    )
    torch.manual_seed(0)
    train(build(work), work, rank)
    dist.destroy_process_group()


def train(task: TrainingTask, work: Path, rank: int) -> None:
    """Take every step that is still missing."""
    task.networks.to(compute_device())
    optimizer = Optimizer(task)
    average = {k: v.clone() for k, v in task.networks.state_dict().items()}
    first = load_checkpoint(task, optimizer, average, work)
    world = dist.get_world_size()
    last_save = last_log = time.monotonic()
    loss_sum, first_logged = 0.0, first
    shares, steps = range(rank, SHARES, world), range(first, task.steps)
    loader_options = {} if compute_device().type == "cpu" else GPU_LOADER
    loader = DataLoader(Batches(task, shares), batch_size=None, sampler=steps, **loader_options)
    for step, batches in zip(steps, loader, strict=True):
        if parent_is_gone():
            sys.exit("The training ends, since the process that started it is gone.")
        loss_sum += train_step(task, optimizer, step, dict(zip(shares, batches, strict=True)))
        update_average(average, task, step)
        now = time.monotonic()
        if rank == 0 and now - last_log > 30:
            count = step + 1 - first_logged
            speed = count * task.batch_size * SHARES / (now - last_log)
            print(
                f"{task.name} {step + 1}/{task.steps} loss {loss_sum / count:.4f} "
                f"{speed:.0f} img/s",
                flush=True,
            )
            last_log, loss_sum, first_logged = now, 0.0, step + 1
        if rank == 0 and now - last_save > SAVE_SECONDS:
            save_checkpoint(task, optimizer, average, step + 1, work)
            last_save = time.monotonic()
    if rank == 0:
        save_checkpoint(task, optimizer, average, task.steps, work)
    dist.barrier()


def train_step(
    task: TrainingTask, optimizer: Optimizer, step: int, batches: dict[int, Batch]
) -> float:
    """Take one step with the mean gradient of all shares; return their mean loss."""
    total = 0.0
    parameters = optimizer.parameters
    device = parameters[0].device
    for share, tensors in batches.items():
        seed_torch(step, share)
        with torch.autocast(device.type, torch.bfloat16):
            loss = task.loss(tuple(tensor.to(device) for tensor in tensors))
        loss.backward()  # type: ignore[no-untyped-call]
        total += loss.item() / len(batches)
    with_gradient = [parameter for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([p.grad.reshape(-1) for p in with_gradient if p.grad is not None])
    if dist.get_world_size() > 1:
        dist.all_reduce(flat)
    flat /= SHARES
    flat *= min(1.0, 1.0 / (flat.norm().item() + 1e-6))
    first = 0
    for parameter in with_gradient:
        parameter.grad = flat[first : first + parameter.numel()].view_as(parameter)
        first += parameter.numel()
    optimizer.step(lr_factor(step, task.steps))
    return total


def parent_is_gone() -> bool:
    """Return whether the process that started this one has died; a new run may have resumed."""
    parent = parent_process()
    return parent is not None and not parent.is_alive()


def lr_factor(step: int, steps: int) -> float:
    """Return the learning rate's factor: a short warm-up, then a cosine to nearly zero."""
    warm = min(1.0, (step + 1) / 50)
    return warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)))


@torch.no_grad()
def update_average(average: dict[str, torch.Tensor], task: TrainingTask, step: int) -> None:
    """Move the average towards the networks, faster in the first steps."""
    decay = min(task.ema_decay, (1 + step) / (10 + step))
    state = task.networks.state_dict()
    floating = [key for key, value in state.items() if value.is_floating_point()]
    update = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    update([average[key] for key in floating], [state[key] for key in floating], step)


def load_checkpoint(
    task: TrainingTask, optimizer: Optimizer, average: dict[str, torch.Tensor], work: Path
) -> int:
    """Load the last checkpoint, if there is one; return the step to resume at."""
    path = work / f"{task.name}.ckpt"
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True, map_location="cpu")
    task.networks.load_state_dict(state["networks"])
    optimizer.load_state_dict(state["optimizer"])
    for key, value in state["average"].items():
        average[key].copy_(value)
    return int(state["step"])


def save_checkpoint(
    task: TrainingTask,
    optimizer: Optimizer,
    average: dict[str, torch.Tensor],
    step: int,
    work: Path,
) -> None:
    """Write a checkpoint, whole or not at all."""
    state = {
        "networks": task.networks.state_dict(),
        "optimizer": optimizer.state_dict(),
        "average": average,
        "step": step,
    }
    path = work / f"{task.name}.ckpt"
    torch.save(state, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)
