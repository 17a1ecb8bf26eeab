"""Stage `unet`: train the denoiser and its text encoder together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from diffusers.models.attention_processor import AttnProcessor
from torch import nn
from torch.nn import functional

from training.embedded.captions import drawn
from training.embedded.drill import drill
from training.embedded.export import vocabulary
from training.embedded.layout import denoiser, reader, scheduler
from training.embedded.names import COLOURS
from training.embedded.tokens import BEGIN, END, prompts

if TYPE_CHECKING:
    from pathlib import Path


class Lesson:
    """UNet and text encoder with their latents and the v-prediction loss."""

    name = "unet"
    steps = 4350
    batch = 24
    rate = 1.2e-3
    decay = 0.999

    def __init__(self, work: Path) -> None:
        stored = torch.load(work / "latents.pt", weights_only=True)
        self.latents = stored["latents"]  # (grounds, pictures, 4, 16, 16)
        self.names, self.styles = stored["names"], stored["styles"]
        self.tokenizer = prompts(vocabulary(work))
        begin, end = self.tokenizer.convert_tokens_to_ids([BEGIN, END])
        unet = denoiser()
        unet.set_attn_processor(AttnProcessor())  # the CPU's fused one is slow backwards
        text = reader(len(self.tokenizer), begin, end)
        self.networks = nn.ModuleDict({"unet": unet, "text": text})
        self.noise = scheduler()
        self.seen: dict[str, torch.Tensor] = {}

    def loss(self, generator: torch.Generator, step: int) -> torch.Tensor:  # noqa: ARG002
        """Predict the velocity at random times for captioned latents."""
        count = self.batch
        chosen = torch.randint(len(self.names), (count,), generator=generator)
        ground = torch.randint(len(COLOURS), (count,), generator=generator)
        ground[torch.rand(count, generator=generator) < 0.2] = 0  # white is the first
        latents = self.latents[ground, chosen]
        texts = [
            self.ids(drawn(self.names[i], self.styles[i], tuple(COLOURS)[g], generator))
            for i, g in zip(chosen.tolist(), ground.tolist(), strict=True)
        ]
        slices = (torch.arange(count) + torch.rand(count, generator=generator)) / count
        times = (slices * 1000).long().clamp(max=999)  # one time of every slice: less variance
        noise = torch.randn(latents.shape, generator=generator)
        noisy = self.noise.add_noise(latents, noise, times)
        target = self.noise.get_velocity(latents, noise, times)
        hidden = self.networks["text"](torch.cat(texts))[0]
        guess = self.networks["unet"](noisy, times, hidden).sample
        return functional.mse_loss(guess.float(), target)

    def ids(self, text: str) -> torch.Tensor:
        """Tokenize once, then remember."""
        if text not in self.seen:
            self.seen[text] = self.tokenizer(
                text, padding="max_length", truncation=True, return_tensors="pt"
            ).input_ids
        return self.seen[text]


def run(work: Path) -> None:
    """Train the denoiser."""
    drill(Lesson, work)
