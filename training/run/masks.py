"""The alpha channel of a photo's file: as weights of the loss, or with a background behind it."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from storage.errors import JobError
from training.recipe.backgrounds import COLOURS


def loss_weights(mask: Image.Image | None, latent: Tensor, unmasked: float) -> Tensor:
    """Return the weights (1, h, w) of a latent (C, h, w): 1 in the mask, `unmasked` outside."""
    height, width = latent.shape[-2:]
    if mask is None:
        return torch.ones(1, height, width)
    small = mask.resize((width, height), Image.Resampling.BOX)
    shown = torch.from_numpy(np.array(small, dtype=np.float32)) / 255
    return unmasked + (1 - unmasked) * shown[None]


def check_masks(weights: list[Tensor], masked: int, files: list[str]) -> None:
    """Raise JobError if no photo has a mask, or if one leaves nothing to learn from."""
    if not masked:
        raise JobError("mask_missing")
    for each, file in zip(weights, files, strict=True):
        if not each.any():
            raise JobError("mask_empty", file=file)


def put_on(photo: Image.Image, name: str) -> Image.Image:
    """Return a picture in RGBA, whose colours were blended on white, on a ground, in RGB.

    With alpha a, white W and ground B: aC + (1 - a)B = (aC + (1 - a)W) + (1 - a)(B - W).
    """
    pixels = np.asarray(photo).astype(np.float64)
    seen = pixels[..., :3] + (1 - pixels[..., 3:] / 255) * (np.array(COLOURS[name]) - 255)
    return Image.fromarray(seen.round().clip(0, 255).astype(np.uint8))
