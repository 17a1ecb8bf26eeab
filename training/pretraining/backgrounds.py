"""Grounds to lay pictures on, plain, in any colour or soft gradients, and small faults of both."""

from __future__ import annotations

import torch
from torch.nn import functional

from training.pretraining.names import COLOURS

SIDE = 64
PALETTE = torch.tensor(list(COLOURS.values())) / 127.5 - 1  # (C, 3) in -1..1


def plain_backgrounds(chosen: torch.Tensor) -> torch.Tensor:
    """Paint grounds in named colours, by index."""
    return PALETTE[chosen][:, :, None, None].expand(-1, -1, SIDE, SIDE)


def random_backgrounds(count: int, generator: torch.Generator) -> torch.Tensor:
    """Paint grounds of every kind: mostly named colours, some gradients, some texture."""
    chosen = torch.randint(len(PALETTE), (count,), generator=generator)
    kind = torch.rand(count, generator=generator)
    chosen[kind < 0.2] = 0
    grounds = plain_backgrounds(chosen).clone()
    for i in range(count):
        if kind[i] > 0.75:
            cells = 2 if kind[i] < 0.9 else int(torch.randint(3, 24, (1,), generator=generator))
            coarse = torch.rand(1, 3, cells, cells, generator=generator) * 2 - 1
            grounds[i] = functional.interpolate(coarse, (SIDE, SIDE), mode="bilinear")[0]
    return grounds


def half_white_backgrounds(count: int, generator: torch.Generator) -> torch.Tensor:
    """Paint grounds of every kind, every second one white."""
    white = torch.rand(count, 1, 1, 1, generator=generator) < 0.5
    return random_backgrounds(count, generator).masked_fill(white, 1.0)


def put_on(rgba: torch.Tensor, grounds: torch.Tensor) -> torch.Tensor:
    """Lay RGBA pictures (B, 4, 64, 64) on grounds (B, 3, 64, 64) in -1..1."""
    alpha = rgba[:, 3:].float() / 255
    return (rgba[:, :3].float() / 127.5 - 1) * alpha + grounds * (1 - alpha)


def distort(pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Shift, soften and add noise, so that a model's small faults do not decide."""
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
    """Disturb one in four: of the others every colour is exact."""
    spared = torch.rand(len(pixels), 1, 1, 1, generator=generator) < 0.75
    return torch.where(spared, pixels, distort(pixels, generator))
