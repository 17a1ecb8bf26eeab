"""Stage `unet`: train the denoiser and its text encoder together."""

from __future__ import annotations

from string import ascii_lowercase
from typing import TYPE_CHECKING

import torch
from diffusers.models.attention_processor import AttnProcessor
from torch import nn
from torch.nn import functional

from training.pretraining.captions import PATTERNS, drawn
from training.pretraining.distributed import Drawn, drill
from training.pretraining.layout import denoiser, reader, scheduler
from training.pretraining.names import COLOURS, spoken
from training.pretraining.scenes import TINTS
from training.pretraining.tokenizers import BEGIN, END, remembered

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import CLIPTokenizer

Batch = tuple[torch.Tensor, list[str]]  # latents (B, 4, 16, 16) and their captions


class Lesson:
    """UNet and text encoder with their latents and the v-prediction loss.

    A thing in half of a picture needs about as many visits as a whole one. Words that no caption
    has come with any picture, so that a member's trigger begins as no thing and no look.
    """

    name = "unet"
    steps = 3200
    batch = 40
    alone, pairs = 6, 14  # scenes in a batch
    rate = 1.2e-3
    matrix_rate = 2.4e-3
    decay = 0.999
    strange_names, strange_styles = 0.03, 0.05  # shares of captions

    def __init__(self, work: Path) -> None:
        stored = torch.load(work / "latents.pt", weights_only=True)
        self.latents = stored["latents"]  # (grounds, pictures, 4, 16, 16)
        self.names, self.styles = stored["names"], stored["styles"]
        self.scenes = torch.load(work / "scenes.pt", weights_only=True)
        self.tokenizer = remembered(work)
        self.strange = unused(self.tokenizer, [*self.names, *self.styles])
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
        """Draw things and scenes."""
        latents, texts = self.things(self.batch - self.alone - self.pairs, generator)
        phrases, styles, grounds = (self.scenes[key] for key in ("phrases", "styles", "grounds"))
        first = self.scenes["alone"]
        one = torch.randint(first, (self.alone,), generator=generator)
        two = torch.randint(first, len(phrases), (self.pairs,), generator=generator)
        chosen = torch.cat([one, two])
        texts += [
            self.caption(phrases[i], styles[i], grounds[i], generator) for i in chosen.tolist()
        ]
        return torch.cat([latents, self.scenes["latents"][chosen]]), texts

    def things(self, count: int, generator: torch.Generator) -> Batch:
        """Draw single things, one in five surely on white, which is the first ground."""
        chosen = torch.randint(len(self.names), (count,), generator=generator)
        ground = torch.randint(len(COLOURS), (count,), generator=generator)
        ground[torch.rand(count, generator=generator) < 0.2] = 0
        texts = [
            self.caption(self.names[i], self.styles[i], tuple(COLOURS)[g], generator)
            for i, g in zip(chosen.tolist(), ground.tolist(), strict=True)
        ]
        return self.latents[ground, chosen], texts

    def caption(self, name: str, style: str, ground: str, generator: torch.Generator) -> str:
        """Draw a caption, now and then with a word in it that means nothing."""
        chance = float(torch.rand((), generator=generator))
        if chance < self.strange_names:
            name = self.stranger(generator)
        elif chance < self.strange_names + self.strange_styles:
            style = self.stranger(generator)
        return drawn(name, style, ground, generator)

    def stranger(self, generator: torch.Generator) -> str:
        """Draw a word of the vocabulary, or one in two times a few letters."""
        if torch.rand((), generator=generator) < 0.5:
            return self.strange[int(torch.randint(len(self.strange), (), generator=generator))]
        length = int(torch.randint(3, 8, (), generator=generator))
        letters = torch.randint(len(ascii_lowercase), (length,), generator=generator)
        return "".join(ascii_lowercase[i] for i in letters.tolist())

    def ids(self, text: str) -> torch.Tensor:
        """Tokenize once, then remember."""
        if text not in self.seen:
            self.seen[text] = self.tokenizer(
                text, padding="max_length", truncation=True, return_tensors="pt"
            ).input_ids
        return self.seen[text]


def unused(tokenizer: CLIPTokenizer, known: list[str]) -> list[str]:
    """List the vocabulary's whole words that no caption has."""
    captions = {word for text in (*known, *COLOURS, *TINTS) for word in spoken(text).split()}
    captions |= {word for pattern in PATTERNS for word in pattern.split()}
    ends = "</w>"
    words = (token.removesuffix(ends) for token in tokenizer.get_vocab() if token.endswith(ends))
    whole = (word for word in words if len(word) > 2 and word.isascii() and word.isalpha())
    return sorted(set(whole) - captions)


def run(work: Path) -> None:
    """Train on things and scenes."""
    drill(Lesson, work)
