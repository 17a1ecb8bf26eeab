"""Stage `vae`: train the autoencoder on photographs and all pictures but held-out subjects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from training.pretraining.backgrounds import put_on, random_backgrounds
from training.pretraining.distributed import Batch, train_distributed
from training.pretraining.layout import LATENT_CHANNELS, make_autoencoder
from training.pretraining.names import HELD_OUT_SUBJECTS

if TYPE_CHECKING:
    from pathlib import Path

    from diffusers import AutoencoderKL


class VaeTask:
    """The autoencoder with its training pictures and its loss."""

    name = "vae"
    steps = 12000
    batch_size = 16
    photos_in_batch = 5
    learning_rate = 1.5e-3
    muon_learning_rate = 0.0
    ema_decay = 0.999

    def __init__(self, work: Path) -> None:
        pictures = torch.load(work / "pictures.pt", weights_only=True)
        kept = [i for i, name in enumerate(pictures["names"]) if name not in HELD_OUT_SUBJECTS]
        self.rgba = pictures["rgba"][kept]
        self.photos = torch.load(work / "photos.pt", weights_only=True)  # (N, 3, 64, 64), bytes
        self.networks: AutoencoderKL = make_autoencoder()

    def draw_batch(self, generator: torch.Generator, step: int) -> Batch:  # noqa: ARG002
        """Return photographs, then pictures on backgrounds, and noise for their latents."""
        chosen = torch.randint(len(self.rgba), (self.batch_size,), generator=generator)
        pixels = put_on(self.rgba[chosen], random_backgrounds(self.batch_size, generator))
        photos = torch.randint(len(self.photos), (self.photos_in_batch,), generator=generator)
        pixels[: self.photos_in_batch] = self.photos[photos].to(pixels.dtype) / 127.5 - 1
        # torch's own generator is seeded with the step
        noise = torch.randn(self.batch_size, LATENT_CHANNELS, 16, 16, dtype=torch.bfloat16)
        return augment(pixels, generator), noise

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return the reconstruction loss plus a small KL term."""
        pixels, noise = batch
        posterior = self.networks.encode(pixels).latent_dist
        latents = posterior.mean + posterior.std * noise
        decoded = self.networks.decode(latents).sample.float()
        kl = posterior.kl().mean() / (64 * 64 * 3)
        total: torch.Tensor = reconstruction_loss(decoded, pixels) + 3e-4 * kl
        return total


def reconstruction_loss(decoded: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
    """Return the sum of absolute, squared and edge differences."""
    edges = sum(
        functional.l1_loss(decoded.diff(dim=axis), pixels.diff(dim=axis)) for axis in (-1, -2)
    )
    return functional.l1_loss(decoded, pixels) + functional.mse_loss(decoded, pixels) + edges


def augment(pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Mirror half of the pictures and swap the colour channels of a quarter, in place."""
    for i in range(len(pixels)):
        chance = torch.rand(2, generator=generator)
        if chance[0] < 0.5:
            pixels[i] = pixels[i].flip(-1)
        if chance[1] < 0.25:
            pixels[i] = pixels[i][torch.randperm(3, generator=generator)]
    return pixels


def run(work: Path) -> None:
    """Train the autoencoder."""
    train_distributed(VaeTask, work)
