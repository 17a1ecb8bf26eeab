"""Split off the captioner's test pictures, and augment the others."""

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
    """Return whether a picture is kept for the test: one style of every fourth everyday name."""
    if name not in EVERYDAY:
        return False
    index = EVERYDAY.index(name)
    return index % 4 == 0 and ("noto", "blob", "flat", "glossy")[index // 4 % 4] == style


def load_test_pictures(work: Path) -> tuple[torch.Tensor, list[tuple[str, str]]]:
    """Return the test pictures on white (N, 3, 64, 64), and their names and styles."""
    pictures = torch.load(work / "pictures.pt", weights_only=True)
    pairs = list(zip(pictures["names"], pictures["styles"], strict=True))
    kept = [i for i, pair in enumerate(pairs) if is_test_picture(*pair)]
    white = plain_backgrounds(torch.zeros(len(kept), dtype=torch.long))
    return put_on(pictures["rgba"][kept], white), [pairs[i] for i in kept]


def shuffle_colours(
    rgba: torch.Tensor, names: Sequence[str], generator: torch.Generator
) -> torch.Tensor:
    """Swap the colour channels of a third of (B, 4, 64, 64); make an eighth of them grey.

    Styles share shapes more than colours, so a name must be recognised without its colours. Names
    that contain a colour keep theirs.
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
    rgba: torch.Tensor, names: Sequence[str], backgrounds: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """Return pictures (B, 3, 64, 64) recoloured, on backgrounds, mirrored and distorted."""
    pixels = put_on(shuffle_colours(rgba, names, generator), backgrounds)
    return distort(mirror_half(pixels, generator), generator)


def mirror_half(pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Mirror about half of the pictures (B, 3, 64, 64)."""
    chosen = torch.rand(len(pixels), 1, 1, 1, generator=generator) < 0.5
    return torch.where(chosen, pixels.flip(-1), pixels)
