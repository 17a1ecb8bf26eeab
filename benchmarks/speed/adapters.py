"""Train several members' LoRAs in one batch through one base, against one after the other.

Each has its part of the batch of all, as large as the dial has it, or `--batch`. The layers of the
base are computed once for all of them; the low-rank ones of each are multiplied in one batched
product. The networks are the embedded base's on a CPU, and have SD 1.5's true sizes, with random
weights, on a GPU.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from benchmarks import table
from training.embedded import WEIGHTS

MEMBERS = (2, 4)
RANK, TOKENS = 16, 77
SMALL_BATCH, BATCH = 4, 1  #: of each member, on the embedded base and on others
MIN_GAIN = 1.5  #: asked, before it is worth its code
PAIRS, QUICK_PAIRS = 12, 2
TARGETS = ("to_k", "to_q", "to_v", "to_out.0")


class GroupedLora(nn.Module):
    """A linear layer with one LoRA for each equal part of its batch."""

    def __init__(self, base: nn.Linear, members: int) -> None:
        super().__init__()
        device = base.weight.device
        self.base, self.members = base, members
        down = torch.randn(members, base.in_features, RANK, device=device)
        self.down = nn.Parameter(down / base.in_features**0.5)
        self.up = nn.Parameter(torch.zeros(members, RANK, base.out_features, device=device))

    def forward(self, given: Tensor) -> Tensor:
        """Return the layer's output (members·B, T, out)."""
        out: Tensor = self.base(given)
        parts = given.reshape(self.members, -1, given.shape[-1])
        return out + (parts @ self.down @ self.up).view(out.shape)


class Members:
    """So many LoRAs on one base, with their optimizer."""

    def __init__(self, device: torch.device, members: int, batch: int) -> None:
        torch.manual_seed(0)
        self.device, self.members = device, members
        self.unet = make_unet(device)
        self.unet.requires_grad_(requires_grad=False)
        for name, module in list(self.unet.named_modules()):
            if name.endswith(TARGETS) and isinstance(module, nn.Linear):
                above, _, last = name.rpartition(".")
                grouped = GroupedLora(module, members)
                setattr(self.unet.get_submodule(above), last, grouped)
        trained = [each for each in self.unet.parameters() if each.requires_grad]
        self.optimizer = torch.optim.AdamW(trained, lr=1e-4, fused=True)
        size = members * batch
        side, channels = self.unet.config.sample_size, self.unet.config.in_channels
        self.noisy = torch.randn(size, channels, side, side, device=device)
        self.text = torch.randn(size, TOKENS, self.unet.config.cross_attention_dim, device=device)
        self.times = torch.full((size,), 500, device=device)

    def step(self) -> None:
        """Take a step of each member's LoRA, in one batch."""
        kind = self.device.type
        with torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda"):
            predicted = self.unet(self.noisy, self.times, self.text, return_dict=False)[0]
        losses = (predicted.float() - self.noisy).square().flatten(1).mean(1)
        losses.sum().backward()
        self.optimizer.step()
        self.optimizer.zero_grad()


def make_unet(device: torch.device) -> UNet2DConditionModel:
    """Return the embedded base's UNet, or one of SD 1.5's sizes on a GPU."""
    if device.type == "cpu":
        return UNet2DConditionModel.from_pretrained(WEIGHTS / "diffusion" / "unet")
    with device:
        return UNet2DConditionModel(cross_attention_dim=768, sample_size=64)


def time_steps(device: torch.device, step: Callable[[], None], count: int) -> float:
    """Return the seconds that so many steps take: of the processor, or of a GPU's clock."""
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    began = clock()
    for _ in range(count):
        step()
    if device.type != "cpu":
        torch.cuda.synchronize()
    return clock() - began


def measure(device: torch.device, members: int, batch: int, pairs: int) -> float:
    """Return how many times faster one batch is, median of pairs taken in turns."""
    together, alone = Members(device, members, batch), Members(device, 1, batch)
    gains = []
    for pair in range(pairs + 1):
        apart = time_steps(device, alone.step, members)
        joint = time_steps(device, together.step, 1)
        if pair:  # the first one warms up
            gains.append(apart / joint)
    return statistics.median(gains)


def measure_rows(device: torch.device, batch: int, pairs: int) -> Iterator[table.Row]:
    """Yield the gain for each number of members."""
    for members in MEMBERS:
        gain = measure(device, members, batch, pairs)
        what = f"{members} LoRAs of batch {batch} together, over one after the other"
        yield table.at_least(what, gain, MIN_GAIN)


def main() -> int:
    """Print the table; return 1 where it is worth no code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    pairs, device = QUICK_PAIRS if given.quick else PAIRS, torch.device(given.device)
    batch = given.batch or (SMALL_BATCH if device.type == "cpu" else BATCH)
    return table.print_table(measure_rows(device, batch, pairs))


if __name__ == "__main__":
    sys.exit(main())
