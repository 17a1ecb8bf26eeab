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
from training.embedded.scenes import coloured
from training.embedded.tokens import captions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from transformers import BlipForConditionalGeneration

MEAN = torch.tensor(BlipImageProcessorPil.image_mean)[:, None, None]
WHOLE = 0.85  # of the steps are taken before whole pictures are looked at
SPREAD = torch.tensor(BlipImageProcessorPil.image_std)[:, None, None]


class Lesson:
    """The captioner with its pictures and its loss."""

    name = "blip"
    steps = 7500
    batch = 24
    rate = 1.2e-3
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

    def loss(self, generator: torch.Generator, step: int) -> torch.Tensor:
        """Write the caption of pictures that were recoloured, moved and softened."""
        chosen = torch.multinomial(self.weights, self.batch, True, generator=generator)
        ground = torch.randint(len(COLOURS), (self.batch,), generator=generator)
        ground[torch.rand(self.batch, generator=generator) < 0.2] = 0
        colours = [tuple(COLOURS)[g] for g in ground.tolist()]
        texts = [
            full(self.pairs[i][0], self.pairs[i][1], c)
            for i, c in zip(chosen.tolist(), colours, strict=True)
        ]
        rgba = recoloured(
            self.rgba[chosen], [self.pairs[i][0] for i in chosen.tolist()], generator
        )
        tokens = self.tokenizer(texts, padding=True, return_tensors="pt")
        tokens.input_ids[:, 0] = self.networks.config.text_config.bos_token_id  # as generate does
        labels = tokens.input_ids.masked_fill(tokens.attention_mask == 0, -100)
        pixels = moved(lay(rgba, plain(ground)), generator)
        seen = self.glimpse(((pixels + 1) / 2 - MEAN) / SPREAD, generator, step)
        loss: torch.Tensor = self.networks.text_decoder(
            input_ids=tokens.input_ids,
            attention_mask=tokens.attention_mask,
            encoder_hidden_states=seen,
            labels=labels,
        ).loss
        return loss

    def glimpse(self, pixels: torch.Tensor, generator: torch.Generator, step: int) -> torch.Tensor:
        """Look at pixels (B, 3, 64, 64): a random half of the patches, near the end at every one.

        Twice as fast, and no single part of a picture can be relied on (Liu et al. 2022,
        PatchDropout, arXiv 2208.07220).
        """
        eye = self.networks.vision_model
        patches = eye.embeddings(pixels)  # (B, 1 + 64, width), the class token first
        if step < self.steps * WHOLE:
            count, places = len(patches), patches.shape[1] - 1
            order = torch.rand(count, places, generator=generator).argsort(1)[:, : places // 2]
            rows = torch.arange(count)[:, None]
            patches = torch.cat([patches[:, :1], patches[rows, 1 + order]], 1)
        encoded = eye.encoder(inputs_embeds=patches).last_hidden_state
        seen: torch.Tensor = eye.post_layernorm(encoded)
        return seen


def examined(name: str, style: str) -> bool:
    """Keep one style of every fourth everyday name for the examination."""
    if name not in EVERYDAY:
        return False
    place = EVERYDAY.index(name)
    return place % 4 == 0 and ("noto", "blob", "flat", "glossy")[place // 4 % 4] == style


def recoloured(
    rgba: torch.Tensor, names: Sequence[str], generator: torch.Generator
) -> torch.Tensor:
    """Swap the colour channels of a third of (B, 4, 64, 64), and drop colour from an eighth.

    Styles share shapes more than colours, so a name must hold without them. Names that speak of a
    colour keep theirs.
    """
    rgba = rgba.clone()
    for i, name in enumerate(names):
        chance = float(torch.rand((), generator=generator))
        if coloured(name) or chance > 0.45:
            continue
        if chance < 0.33:
            rgba[i, :3] = rgba[i, torch.randperm(3, generator=generator)]
        else:
            rgba[i, :3] = rgba[i, :3].float().mean(0, keepdim=True).byte()
    return rgba


def moved(pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Turn, scale, shift, mirror, light and soften pictures differently, and add noise."""
    count = len(pixels)

    def between(low: float, high: float) -> torch.Tensor:
        return low + (high - low) * torch.rand(count, generator=generator)

    angle, size = between(-0.25, 0.25), between(0.85, 1.4)
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
