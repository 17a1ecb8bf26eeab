"""Stage `latents`: encode every everyday picture on every plain background once."""

# ruff: noqa: T201  # a stage prints what it measured

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from training.pretraining.backgrounds import plain_backgrounds, put_on
from training.pretraining.distributed import compute_device
from training.pretraining.export import load_average
from training.pretraining.layout import make_autoencoder
from training.pretraining.names import BASE_STYLES, EVERYDAY
from training.recipe.backgrounds import COLOURS

if TYPE_CHECKING:
    from pathlib import Path


@torch.no_grad()
def run(work: Path) -> None:
    """Write `latents.pt` (latents, names, styles) and `scale.pt` (the VAE's scaling factor)."""
    pictures = torch.load(work / "pictures.pt", weights_only=True)
    pairs = list(zip(pictures["names"], pictures["styles"], strict=True))
    kept = [i for i, (n, s) in enumerate(pairs) if n in EVERYDAY and s in BASE_STYLES]
    vae = make_autoencoder().eval()
    load_average(vae, work / "vae.ckpt", "")
    vae.to(compute_device())
    means, spreads = [], []
    for colour in range(len(COLOURS)):
        for part in torch.split(torch.tensor(kept), 64):
            backgrounds = plain_backgrounds(torch.full((len(part),), colour))
            posterior = vae.encode(
                put_on(pictures["rgba"][part], backgrounds).to(compute_device())
            ).latent_dist
            means.append(posterior.mean.cpu())
            spreads.append(posterior.std.cpu())
    mean, spread = torch.cat(means), torch.cat(spreads)
    scale = 1 / mean.std()
    shape = (len(COLOURS), len(kept), *mean.shape[1:])
    torch.save(scale, work / "scale.pt")
    torch.save(
        {
            "latents": (mean * scale).view(shape),
            "names": [pairs[i][0] for i in kept],
            "styles": [pairs[i][1] for i in kept],
        },
        work / "latents.pt",
    )
    print(
        f"{len(kept)} pictures x {len(COLOURS)} backgrounds, scale {scale:.4f}, "
        f"posterior std {spread.mean() * scale:.3f} of the latents'"
    )
