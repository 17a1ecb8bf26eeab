"""Stage `blip`: train the captioner on all six styles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional
from transformers import BlipImageProcessorPil

from training.embedded.captions import full
from training.embedded.drill import drill
from training.embedded.export import vocabulary
from training.embedded.grounds import lay, plain
from training.embedded.layout import captioner
from training.embedded.names import COLOURS, EVERYDAY, HELD_OUT_SUBJECTS
from training.embedded.tokens import captions

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import BlipForConditionalGeneration

MEAN = torch.tensor(BlipImageProcessorPil.image_mean)[:, None, None]
SPREAD = torch.tensor(BlipImageProcessorPil.image_std)[:, None, None]


class Lesson:
    """The captioner with its pictures and its loss."""

    name = "blip"
    steps = 6000
    batch = 24
    rate = 1.5e-3
    decay = 0.998

    def __init__(self, work: Path) -> None:
        pictures = torch.load(work / "pictures.pt", weights_only=True)
        pairs = list(zip(pictures["names"], pictures["styles"], strict=True))
        kept = [i for i, (name, style) in enumerate(pairs) if not examined(name, style)]
        familiar = {*EVERYDAY, *HELD_OUT_SUBJECTS}
        self.rgba = pictures["rgba"][kept]
        self.pairs = [pairs[i] for i in kept]
        self.weights = torch.tensor([6.0 if n in familiar else 1.0 for n, _ in self.pairs])
        self.tokenizer = captions(vocabulary(work))
        self.networks: BlipForConditionalGeneration = captioner(len(self.tokenizer))

    def loss(self, generator: torch.Generator, step: int) -> torch.Tensor:  # noqa: ARG002
        """Write the caption of shifted, mirrored, noisy pictures."""
        chosen = torch.multinomial(self.weights, self.batch, True, generator=generator)
        ground = torch.randint(len(COLOURS), (self.batch,), generator=generator)
        ground[torch.rand(self.batch, generator=generator) < 0.2] = 0
        colours = [tuple(COLOURS)[g] for g in ground.tolist()]
        texts = [
            full(self.pairs[i][0], self.pairs[i][1], c)
            for i, c in zip(chosen.tolist(), colours, strict=True)
        ]
        tokens = self.tokenizer(texts, padding=True, return_tensors="pt")
        tokens.input_ids[:, 0] = self.networks.config.text_config.bos_token_id  # as generate does
        labels = tokens.input_ids.masked_fill(tokens.attention_mask == 0, -100)
        pixels = moved(lay(self.rgba[chosen], plain(ground)), generator)
        loss: torch.Tensor = self.networks(
            pixel_values=((pixels + 1) / 2 - MEAN) / SPREAD,
            input_ids=tokens.input_ids,
            attention_mask=tokens.attention_mask,
            labels=labels,
        ).loss
        return loss


def examined(name: str, style: str) -> bool:
    """Keep one style of every fourth everyday name for the examination."""
    if name not in EVERYDAY:
        return False
    place = EVERYDAY.index(name)
    return place % 4 == 0 and ("noto", "blob", "flat", "glossy")[place // 4 % 4] == style


def moved(pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Turn, scale, shift, mirror, light and soften pictures differently, and add noise."""
    count = len(pixels)

    def between(low: float, high: float) -> torch.Tensor:
        return low + (high - low) * torch.rand(count, generator=generator)

    angle, size = between(-0.2, 0.2), between(0.9, 1.4)
    mirror = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    across, down = between(-0.15, 0.15), between(-0.15, 0.15)
    rows = [
        torch.stack([mirror * size * angle.cos(), -size * angle.sin(), across], 1),
        torch.stack([mirror * size * angle.sin(), size * angle.cos(), down], 1),
    ]
    grid = functional.affine_grid(torch.stack(rows, 1), list(pixels.shape), align_corners=False)
    moved = functional.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
    light, contrast = between(-0.12, 0.12), between(0.85, 1.15)
    moved = moved * contrast[:, None, None, None] + light[:, None, None, None]
    if torch.rand((), generator=generator) < 0.25:
        moved = functional.interpolate(moved, (40, 40), mode="area")
        moved = functional.interpolate(moved, (64, 64), mode="bilinear")
    return moved + 0.05 * torch.randn(pixels.shape, generator=generator)


def run(work: Path) -> None:
    """Train the captioner."""
    drill(Lesson, work)
