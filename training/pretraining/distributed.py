"""Long training: two one-thread processes that average their gradients, or one with a GPU.

A second OpenMP thread collapses as soon as anybody else uses the cores; two processes do not. All
draws are made on the CPU, so that a seed means the same everywhere; for a GPU other processes draw
ahead.
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
SHARES = 2  #: batches of a step: of so many processes, or of one, one after the other
#: Processes that draw for a GPU; forked, they need nothing copied.
GPU_LOADER: dict[str, Any] = {"num_workers": 4, "multiprocessing_context": "fork"}
Batch = tuple[torch.Tensor, ...]  # what a loss is computed of


class TrainingTask(Protocol):
    """What a stage must give to be trained."""

    name: str
    steps: int
    batch_size: int  # of each share
    learning_rate: float
    muon_learning_rate: float  # of Muon; 0: AdamW moves everything
    ema_decay: float  # of the moving average

    @property
    def networks(self) -> nn.Module:
        """Give what is trained."""
        ...

    def draw_batch(self, generator: torch.Generator, step: int) -> Batch:
        """Draw a batch, on the CPU."""
        ...

    def loss(self, drawn: Batch) -> torch.Tensor:
        """Give the loss of a batch, where the networks are."""
        ...


class Batches(Dataset[list[Batch]]):
    """What some shares of each step are taught with: all of it follows from the step."""

    def __init__(self, trainee: TrainingTask, shares: range) -> None:
        self.trainee, self.shares = trainee, shares

    def __getitem__(self, step: int) -> list[Batch]:
        """Draw for one step."""
        generator = torch.Generator()
        found = []
        for share in self.shares:
            seed_torch(step, share)
            generator.manual_seed((step * 64 + share) * 7919 + 17)
            found.append(self.trainee.draw_batch(generator, step))
        return found


def seed_torch(step: int, share: int) -> None:
    """Let what is drawn without a generator, such as dropout, follow from the step, too."""
    torch.manual_seed((step * 64 + share) * 104_729 + 5)


def train_distributed(build: Callable[[Path], TrainingTask], work: Path) -> None:
    """Train until the trainee's last step, resuming where it stopped."""
    processes = SHARES if compute_device().type == "cpu" else 1
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    os.environ["OMP_NUM_THREADS"] = "1"
    context = torch.multiprocessing.get_context("spawn")
    with TemporaryDirectory() as folder:
        meeting = Path(folder) / "meeting"  # of its own, whatever an earlier run left behind
        crew = [
            context.Process(target=run_process, args=(rank, processes, meeting, build, work))
            for rank in range(processes)
        ]
        for process in crew:
            process.start()
        for process in crew:
            process.join()
    if any(process.exitcode for process in crew):
        raise RuntimeError(f"A training process ended with {[p.exitcode for p in crew]}.")


def compute_device() -> torch.device:
    """Say where networks compute."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def run_process(
    rank: int, world: int, meeting: Path, build: Callable[[Path], TrainingTask], work: Path
) -> None:
    """Run one of the processes."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=world)
    torch.manual_seed(0)
    train(build(work), work, rank)
    dist.destroy_process_group()


def train(trainee: TrainingTask, work: Path, rank: int) -> None:
    """Take every step that is still missing."""
    trainee.networks.to(compute_device())
    optimizer = Optimizer(trainee)
    average = {k: v.clone() for k, v in trainee.networks.state_dict().items()}
    first = load_checkpoint(trainee, optimizer, average, work)
    world = dist.get_world_size()
    saved = told = time.monotonic()
    loss_sum, since = 0.0, first
    shares, steps = range(rank, SHARES, world), range(first, trainee.steps)
    ahead = {} if compute_device().type == "cpu" else GPU_LOADER
    draws = DataLoader(Batches(trainee, shares), batch_size=None, sampler=steps, **ahead)
    for step, drawn in zip(steps, draws, strict=True):
        if parent_is_gone():
            sys.exit("The training ends, since the process that started it is gone.")
        loss_sum += train_step(trainee, optimizer, step, dict(zip(shares, drawn, strict=True)))
        update_average(average, trainee, step)
        now = time.monotonic()
        if rank == 0 and now - told > 30:
            count = step + 1 - since
            speed = count * trainee.batch_size * SHARES / (now - told)
            print(
                f"{trainee.name} {step + 1}/{trainee.steps} loss {loss_sum / count:.4f} "
                f"{speed:.0f} img/s",
                flush=True,
            )
            told, loss_sum, since = now, 0.0, step + 1
        if rank == 0 and now - saved > SAVE_SECONDS:
            save_checkpoint(trainee, optimizer, average, step + 1, work)
            saved = time.monotonic()
    if rank == 0:
        save_checkpoint(trainee, optimizer, average, trainee.steps, work)
    dist.barrier()


def train_step(
    trainee: TrainingTask, optimizer: Optimizer, step: int, drawn: dict[int, Batch]
) -> float:
    """Take one step with the gradients of all shares; give the mean loss of these."""
    total = 0.0
    parameters = optimizer.parameters
    device = parameters[0].device
    for share, tensors in drawn.items():
        seed_torch(step, share)
        with torch.autocast(device.type, torch.bfloat16):
            loss = trainee.loss(tuple(tensor.to(device) for tensor in tensors))
        loss.backward()  # type: ignore[no-untyped-call]
        total += loss.item() / len(drawn)
    learning = [parameter for parameter in parameters if parameter.grad is not None]
    flat = torch.cat([p.grad.reshape(-1) for p in learning if p.grad is not None])
    if dist.get_world_size() > 1:
        dist.all_reduce(flat)
    flat /= SHARES
    flat *= min(1.0, 1.0 / (flat.norm().item() + 1e-6))
    first = 0
    for parameter in learning:
        parameter.grad = flat[first : first + parameter.numel()].view_as(parameter)
        first += parameter.numel()
    optimizer.step(lr_factor(step, trainee.steps))
    return total


def parent_is_gone() -> bool:
    """Tell whether the process that started this one is gone: another may have gone on since."""
    parent = parent_process()
    return parent is not None and not parent.is_alive()


def lr_factor(step: int, steps: int) -> float:
    """Scale the rate: a short warm-up, then a cosine to nearly nothing."""
    warm = min(1.0, (step + 1) / 50)
    return warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)))


@torch.no_grad()
def update_average(average: dict[str, torch.Tensor], trainee: TrainingTask, step: int) -> None:
    """Move the average towards the networks; early on it follows faster."""
    decay = min(trainee.ema_decay, (1 + step) / (10 + step))
    state = trainee.networks.state_dict()
    moving = [key for key, value in state.items() if value.is_floating_point()]
    move = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    move([average[key] for key in moving], [state[key] for key in moving], step)


def load_checkpoint(
    trainee: TrainingTask, optimizer: Optimizer, average: dict[str, torch.Tensor], work: Path
) -> int:
    """Load the last checkpoint, if there is one, and give the step to go on with."""
    path = work / f"{trainee.name}.ckpt"
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True, map_location="cpu")
    trainee.networks.load_state_dict(state["networks"])
    optimizer.load_state_dict(state["optimizer"])
    for key, value in state["average"].items():
        average[key].copy_(value)
    return int(state["step"])


def save_checkpoint(
    trainee: TrainingTask,
    optimizer: Optimizer,
    average: dict[str, torch.Tensor],
    step: int,
    work: Path,
) -> None:
    """Write a checkpoint: whole or not at all."""
    state = {
        "networks": trainee.networks.state_dict(),
        "optimizer": optimizer.state_dict(),
        "average": average,
        "step": step,
    }
    path = work / f"{trainee.name}.ckpt"
    torch.save(state, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)
