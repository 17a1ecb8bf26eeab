"""Stages `unet`, `combining` and `settling`: train the denoiser and its text encoder together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from diffusers.models.attention_processor import AttnProcessor
from torch import nn
from torch.nn import functional

from training.embedded.captions import drawn
from training.embedded.drill import Drawn, drill
from training.embedded.export import filled
from training.embedded.layout import denoiser, reader, scheduler
from training.embedded.names import COLOURS
from training.embedded.tokens import BEGIN, END, remembered

if TYPE_CHECKING:
    from pathlib import Path

Batch = tuple[torch.Tensor, list[str]]  # latents (B, 4, 16, 16) and their captions


class Lesson:
    """UNet and text encoder with their latents and the v-prediction loss: single things."""

    name = "unet"
    steps = 4350
    batch = 24
    rate = 1.2e-3
    decay = 0.999

    def __init__(self, work: Path) -> None:
        stored = torch.load(work / "latents.pt", weights_only=True)
        self.latents = stored["latents"]  # (grounds, pictures, 4, 16, 16)
        self.names, self.styles = stored["names"], stored["styles"]
        self.tokenizer = remembered(work)
        begin, end = self.tokenizer.convert_tokens_to_ids([BEGIN, END])
        unet = denoiser()
        unet.set_attn_processor(AttnProcessor())  # the CPU's fused one is slow backwards
        text = reader(len(self.tokenizer), begin, end)
        text.set_attn_implementation("eager")
        self.networks = nn.ModuleDict({"unet": unet, "text": text})
        self.noise = scheduler()
        self.seen: dict[str, torch.Tensor] = {}

    def draw(self, generator: torch.Generator, step: int) -> Drawn:  # noqa: ARG002
        """Draw captioned latents (B, 4, 16, 16), noise, times and the captions' tokens."""
        latents, texts = self.batched(generator)
        count = len(latents)
        slices = (torch.arange(count) + torch.rand(count, generator=generator)) / count
        times = (slices * 1000).long().clamp(max=999)  # one time of every slice: less variance
        noise = torch.randn(latents.shape, generator=generator)
        return latents, noise, times, torch.cat([self.ids(text) for text in texts])

    def loss(self, drawn: Drawn) -> torch.Tensor:
        """Predict the velocity at random times."""
        latents, noise, times, ids = drawn
        noisy = self.noise.add_noise(latents, noise, times)
        target = self.noise.get_velocity(latents, noise, times)
        hidden = self.networks["text"](ids)[0]
        guess = self.networks["unet"](noisy, times, hidden).sample
        return functional.mse_loss(guess.float(), target)

    def batched(self, generator: torch.Generator) -> Batch:
        """Draw a batch."""
        return self.things(self.batch, generator)

    def things(self, count: int, generator: torch.Generator) -> Batch:
        """Draw single things, one in five surely on white, which is the first ground."""
        chosen = torch.randint(len(self.names), (count,), generator=generator)
        ground = torch.randint(len(COLOURS), (count,), generator=generator)
        ground[torch.rand(count, generator=generator) < 0.2] = 0
        texts = [
            drawn(self.names[i], self.styles[i], tuple(COLOURS)[g], generator)
            for i, g in zip(chosen.tolist(), ground.tolist(), strict=True)
        ]
        return self.latents[ground, chosen], texts

    def ids(self, text: str) -> torch.Tensor:
        """Tokenize once, then remember."""
        if text not in self.seen:
            self.seen[text] = self.tokenizer(
                text, padding="max_length", truncation=True, return_tensors="pt"
            ).input_ids
        return self.seen[text]


class Combining(Lesson):
    """Go on from single things with composed scenes among them.

    A thing in half of a picture needs about as many visits as a whole one does, some 400.
    """

    name = "combining"
    steps = 4000
    rate = 1e-3
    alone, pairs = 3, 13  # scenes in a batch of 24

    def __init__(self, work: Path) -> None:
        super().__init__(work)
        filled(self.networks, work / "unet.ckpt", "")
        self.scenes = torch.load(work / "scenes.pt", weights_only=True)

    def batched(self, generator: torch.Generator) -> Batch:
        """Draw things and scenes."""
        latents, texts = self.things(self.batch - self.alone - self.pairs, generator)
        phrases, styles, grounds = (self.scenes[key] for key in ("phrases", "styles", "grounds"))
        first = self.scenes["alone"]
        one = torch.randint(first, (self.alone,), generator=generator)
        two = torch.randint(first, len(phrases), (self.pairs,), generator=generator)
        chosen = torch.cat([one, two])
        texts += [drawn(phrases[i], styles[i], grounds[i], generator) for i in chosen.tolist()]
        return torch.cat([latents, self.scenes["latents"][chosen]]), texts


class Settling(Combining):
    """Go on from between the two stages before it, with fewer scenes.

    What `combining` learns it pays for with things as they were; weights between its start and its
    end have nearly all of both (Wortsman et al. 2022, WiSE-FT, arXiv 2109.01903).
    """

    name = "settling"
    steps = 2000
    rate = 6e-4
    alone, pairs = 4, 3
    share = 0.7  # of the end, the rest is the start

    def __init__(self, work: Path) -> None:
        super().__init__(work)
        start = self.networks.state_dict()
        end = torch.load(work / "combining.ckpt", weights_only=True, mmap=True)["average"]
        between = {key: blend(start[key], end[key], self.share) for key in start}
        self.networks.load_state_dict(between)


def blend(one: torch.Tensor, other: torch.Tensor, share: float) -> torch.Tensor:
    """Go some part of the way from one tensor to another; whole numbers stay."""
    return torch.lerp(one, other, share) if one.is_floating_point() else one


def run(work: Path) -> None:
    """Train on single things."""
    drill(Lesson, work)
