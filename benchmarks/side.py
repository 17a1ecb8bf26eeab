"""What 128 pixels would take: an f=8 autoencoder beside the f=4 one, with the same latents.

Both turn a picture into 4 x 16 x 16 numbers, so the UNet costs the same. Short trainings from
nothing on the base's pictures, judged on the held-out subjects: as many pictures, and as long.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch.nn import functional

from benchmarks import exam, machine, table
from training.embedded.drill import pace
from training.embedded.grounds import PALETTE, lay
from training.embedded.judge import Judge
from training.embedded.layout import autoencoder
from training.embedded.names import BASE_STYLES, EVERYDAY, HELD_OUT_SUBJECTS
from training.embedded.pictures import drawn
from training.embedded.sources import checked
from training.embedded.vae import Lesson, difference

SIDES = (64, 128)
SAMPLES, BATCH = 1500, 16
LISTED = ("down_block_types", "up_block_types", "block_out_channels")
Drawn = dict[tuple[str, str], dict[int, torch.Tensor]]  # (name, style) to RGBA by side


@dataclass(frozen=True, slots=True)
class Candidate:
    """An autoencoder that is trained for a while."""

    side: int
    samples: int

    def built(self) -> AutoencoderKL:
        """Build it: twice the side, one more block."""
        small = autoencoder().config
        more = self.side // SIDES[0] - 1
        longer = {key: (*small[key], *small[key][-1:] * more) for key in LISTED}
        network: AutoencoderKL = AutoencoderKL.from_config(
            {**small, **longer, "sample_size": self.side}
        )
        return network


def pictures(npm: Path) -> Drawn:
    """Draw the everyday things and the held-out subjects of the base styles at both sides."""
    wanted = {*EVERYDAY, *HELD_OUT_SUBJECTS}
    return {
        (name, style): {side: read(source, side) for side in SIDES}
        for style, package in BASE_STYLES.items()
        for name, source in checked(npm, style, package)
        if name in wanted
    }


def read(source: bytes, side: int) -> torch.Tensor:
    """Draw one picture, RGBA (4, side, side) in bytes."""
    return torch.from_numpy(np.array(drawn(source, side))).permute(2, 0, 1)


def taught(candidate: Candidate, rgba: torch.Tensor) -> tuple[AutoencoderKL, float]:
    """Train one; give it with the processor's seconds."""
    torch.manual_seed(0)
    network = candidate.built()
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.01, fused=True)
    generator, steps = torch.Generator().manual_seed(0), candidate.samples // BATCH
    began = time.process_time()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = Lesson.rate * pace(step, steps)
        chosen = torch.randint(len(rgba), (BATCH,), generator=generator)
        ground = torch.randint(len(PALETTE), (BATCH,), generator=generator)
        pixels = lay(rgba[chosen], PALETTE[ground][:, :, None, None])
        with torch.autocast("cpu", torch.bfloat16):
            posterior = network.encode(pixels).latent_dist
            noise = torch.randn(posterior.mean.shape, generator=generator)
            back = network.decode(posterior.mean + posterior.std * noise).sample
        loss = difference(back.float(), pixels) + 3e-4 * posterior.kl().mean() / pixels[0].numel()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    return network.eval(), time.process_time() - began


@torch.no_grad()
def rows(candidate: Candidate, shown: Drawn, critic: Judge) -> Iterator[table.Row]:
    """Train one and measure what it gives back of things it has never seen."""
    side, title = candidate.side, f"{candidate.side} px, {candidate.samples} pictures"
    known = torch.stack([by[side] for (name, _), by in shown.items() if name in EVERYDAY])
    keys = [key for key in shown if key[0] in HELD_OUT_SUBJECTS]
    with torch.enable_grad():
        network, seconds = taught(candidate, known)
    yield table.told(f"{title}: seconds of one core", seconds, "s")
    white = torch.ones(3, 1, 1)
    pixels = lay(torch.stack([shown[key][side] for key in keys]), white)
    latents = network.encode(pixels).latent_dist.mode()
    began = time.process_time()
    back = network.decode(latents).sample.clamp(-1, 1)
    yield table.told(
        f"{title}: decoding a picture", (time.process_time() - began) / len(keys), "s"
    )
    yield table.told(f"{title}: PSNR at its own size", psnr(pixels, back), "dB")
    true = lay(torch.stack([shown[key][SIDES[0]] for key in keys]), white)
    small = functional.interpolate(back, (SIDES[0], SIDES[0]), mode="area")
    yield table.told(f"{title}: PSNR at 64 pixels", psnr(true, small), "dB")
    features = critic.eye(small)
    ranks = [critic.rank(features[i : i + 1], *key)[0] for i, key in enumerate(keys)]
    yield table.told(f"{title}: recognised at once", ranks.count(1) / len(ranks))


def psnr(one: torch.Tensor, other: torch.Tensor) -> float:
    """Give the mean PSNR of pictures in -1..1."""
    error = ((one - other) / 2).square().mean((1, 2, 3))
    return float((-10 * error.log10()).mean())


def main() -> int:
    """Print the table; `--npm` is the folder that the recipe takes its pictures from."""
    arguments = machine.chosen(__doc__ or "", npm=Path)
    torch.set_num_threads(1)
    count = SAMPLES // 10 if arguments.quick else SAMPLES
    small, large = SIDES
    candidates = [Candidate(small, count), Candidate(large, count), Candidate(small, 4 * count)]
    shown, critic = pictures(arguments.npm), exam.critic()
    torch.set_num_threads(1)
    return table.show(row for each in candidates for row in rows(each, shown, critic))


if __name__ == "__main__":
    sys.exit(main())
