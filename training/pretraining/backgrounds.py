"""Backgrounds for the pictures (plain colours, gradients, textures) and small distortions."""

from __future__ import annotations

import torch
from torch.nn import functional

from training.recipe.backgrounds import COLOURS

SIDE = 64
PALETTE = torch.tensor(list(COLOURS.values())) / 127.5 - 1  # (C, 3) in -1..1


def plain_backgrounds(colour_indices: torch.Tensor) -> torch.Tensor:
    """Return backgrounds (B, 3, 64, 64) in named colours, given their indices (B,)."""
    return PALETTE[colour_indices][:, :, None, None].expand(-1, -1, SIDE, SIDE)


def random_backgrounds(count: int, generator: torch.Generator) -> torch.Tensor:
    """Return backgrounds (B, 3, 64, 64): mostly named colours, some gradients, some textures."""
    colour_indices = torch.randint(len(PALETTE), (count,), generator=generator)
    kind = torch.rand(count, generator=generator)
    colour_indices[kind < 0.2] = 0
    backgrounds = plain_backgrounds(colour_indices).clone()
    for i in range(count):
        if kind[i] > 0.75:
            cells = 2 if kind[i] < 0.9 else int(torch.randint(3, 24, (1,), generator=generator))
            coarse = torch.rand(1, 3, cells, cells, generator=generator) * 2 - 1
            backgrounds[i] = functional.interpolate(coarse, (SIDE, SIDE), mode="bilinear")[0]
    return backgrounds


def half_white_backgrounds(count: int, generator: torch.Generator) -> torch.Tensor:
    """Return random backgrounds (B, 3, 64, 64), about half of them white."""
    white = torch.rand(count, 1, 1, 1, generator=generator) < 0.5
    return random_backgrounds(count, generator).masked_fill(white, 1.0)


def put_on(rgba: torch.Tensor, backgrounds: torch.Tensor) -> torch.Tensor:
    """Blend RGBA pictures (B, 4, 64, 64) over backgrounds (B, 3, 64, 64) in -1..1."""
    alpha = rgba[:, 3:].float() / 255
    return (rgba[:, :3].float() / 127.5 - 1) * alpha + backgrounds * (1 - alpha)


def distort(pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Shift, blur and add noise, so that small rendering faults do not change a judgement."""
    pixels = functional.pad(pixels, (4, 4, 4, 4), mode="replicate")
    left, top = torch.randint(9, (2,), generator=generator).tolist()
    pixels = pixels[:, :, top : top + 64, left : left + 64]
    chance = torch.rand(3, generator=generator)
    if chance[0] < 0.25:
        small = functional.interpolate(pixels, size=(32 + int(25 * chance[1]),) * 2, mode="area")
        pixels = functional.interpolate(small, (64, 64), mode="bilinear")
    noise = torch.randn(pixels.shape, generator=generator)
    return pixels + 0.08 * chance[2] * noise


def distort_some(pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Distort one picture in four; the others keep their exact colours."""
    unchanged = torch.rand(len(pixels), 1, 1, 1, generator=generator) < 0.75
    return torch.where(unchanged, pixels, distort(pixels, generator))
