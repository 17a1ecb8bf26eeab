"""Which pictures the captioner is examined with, and how the others are varied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from training.pretraining.backgrounds import distort, plain_backgrounds, put_on
from training.pretraining.names import EVERYDAY
from training.pretraining.scenes import names_colour

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def is_test_picture(name: str, style: str) -> bool:
    """Keep one style of every fourth everyday name for the examination."""
    if name not in EVERYDAY:
        return False
    place = EVERYDAY.index(name)
    return place % 4 == 0 and ("noto", "blob", "flat", "glossy")[place // 4 % 4] == style


def load_test_pictures(work: Path) -> tuple[torch.Tensor, list[tuple[str, str]]]:
    """Give the examination's pictures on white (N, 3, 64, 64), and their names and styles."""
    pictures = torch.load(work / "pictures.pt", weights_only=True)
    pairs = list(zip(pictures["names"], pictures["styles"], strict=True))
    kept = [i for i, pair in enumerate(pairs) if is_test_picture(*pair)]
    white = plain_backgrounds(torch.zeros(len(kept), dtype=torch.long))
    return put_on(pictures["rgba"][kept], white), [pairs[i] for i in kept]


def shuffle_colours(
    rgba: torch.Tensor, names: Sequence[str], generator: torch.Generator
) -> torch.Tensor:
    """Swap the colour channels of a third of (B, 4, 64, 64), and drop colour from an eighth.

    Styles share shapes more than colours, so a name must hold without them. Names that speak of a
    colour keep theirs.
    """
    rgba = rgba.clone()
    for i, name in enumerate(names):
        chance = float(torch.rand((), generator=generator))
        if names_colour(name) or chance > 0.45:
            continue
        if chance < 0.33:
            rgba[i, :3] = rgba[i, torch.randperm(3, generator=generator)]
        else:
            rgba[i, :3] = rgba[i, :3].float().mean(0, keepdim=True).byte()
    return rgba


def augment(
    rgba: torch.Tensor, names: Sequence[str], grounds: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """Lay recoloured pictures on grounds, mirrored, shifted, softened, noisy: (B, 3, 64, 64)."""
    pixels = put_on(shuffle_colours(rgba, names, generator), grounds)
    return distort(mirror_half(pixels, generator), generator)


def mirror_half(pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Mirror half of the pictures (B, 3, 64, 64)."""
    chosen = torch.rand(len(pixels), 1, 1, 1, generator=generator) < 0.5
    return torch.where(chosen, pixels.flip(-1), pixels)
