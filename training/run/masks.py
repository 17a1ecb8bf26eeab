"""Which parts of a photo count: the alpha channel of its file, as weights of the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image, ImageOps

from storage.errors import JobError

if TYPE_CHECKING:
    from torch import Tensor


def crop_mask(picture: Image.Image, cut: tuple[int, int]) -> Image.Image | None:
    """Cut a photo's mask as the photo is cut, to (width, height); one without alpha has none."""
    if picture.mode != "RGBA":
        return None
    return ImageOps.fit(picture.getchannel("A"), cut, Image.Resampling.LANCZOS)


def loss_weights(mask: Image.Image | None, latent: Tensor, background: float) -> Tensor:
    """Weigh the places of a latent (C, h, w) by a mask: (1, h, w), from background to 1."""
    height, width = latent.shape[-2:]
    if mask is None:
        return torch.ones(1, height, width)
    small = mask.resize((width, height), Image.Resampling.BOX)
    shown = torch.from_numpy(np.array(small, dtype=np.float32)) / 255
    return background + (1 - background) * shown[None]


def check_masks(several: list[Tensor], masked: int, files: list[str]) -> None:
    """Refuse masks of which nothing would be learnt, and no masks at all."""
    if not masked:
        raise JobError("mask_missing")
    for each, file in zip(several, files, strict=True):
        if not each.any():
            raise JobError("mask_empty", file=file)
