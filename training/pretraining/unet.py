"""Stage `unet`: train the denoiser and its text encoder together."""

from __future__ import annotations

from string import ascii_lowercase
from typing import TYPE_CHECKING

import torch
from diffusers.models.attention_processor import AttnProcessor
from torch import nn
from torch.nn import functional

from training.pretraining.captions import PATTERNS, draw_caption
from training.pretraining.distributed import Batch, train_distributed
from training.pretraining.layout import make_scheduler, make_text_encoder, make_unet
from training.pretraining.names import to_words
from training.pretraining.scenes import TINTS
from training.pretraining.start import load_fitting_weights
from training.pretraining.tokenizers import BEGIN, END, load_prompt_tokenizer
from training.recipe.backgrounds import COLOURS

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import CLIPTokenizer

CaptionedLatents = tuple[torch.Tensor, list[str]]  # latents (B, 8, 16, 16) and their captions


class UnetTask:
    """UNet and text encoder with their latents and the v-prediction loss.

    A thing that fills half of a picture needs about as many samples as a whole one. Some captions
    have an unused word with an arbitrary picture, so that a member's trigger starts without the
    meaning of any thing or style.
    """

    name = "unet"
    steps = 2000  # from `start`; before, 4,200
    batch_size = 40
    single_scenes, pair_scenes = 8, 14  # scenes in a batch
    learning_rate = 1.2e-3
    muon_learning_rate = 2.4e-3
    ema_decay = 0.999
    unused_names, unused_styles = 0.03, 0.05  # shares of captions

    def __init__(self, work: Path) -> None:
        stored = torch.load(work / "latents.pt", weights_only=True)
        self.latents = stored["latents"]  # (backgrounds, pictures, 8, 16, 16)
        self.names, self.styles = stored["names"], stored["styles"]
        self.scenes = torch.load(work / "scenes.pt", weights_only=True)
        self.tokenizer = load_prompt_tokenizer(work)
        self.unused_words = list_unused_words(self.tokenizer, [*self.names, *self.styles])
        begin, end = self.tokenizer.convert_tokens_to_ids([BEGIN, END])
        unet = make_unet()
        unet.set_attn_processor(AttnProcessor())  # the fused one has a slow backward pass on CPUs
        text = make_text_encoder(len(self.tokenizer), begin, end)
        text.set_attn_implementation("eager")
        load_fitting_weights(unet, work, "unet")
        load_fitting_weights(text, work, "text_encoder")
        self.networks = nn.ModuleDict({"unet": unet, "text": text})
        self.noise = make_scheduler()
        self.token_cache: dict[str, torch.Tensor] = {}

    def draw_batch(self, generator: torch.Generator, step: int) -> Batch:  # noqa: ARG002
        """Return latents (B, 8, 16, 16), noise, timesteps and the captions' token ids."""
        latents, texts = self.draw_latents(generator)
        count = len(latents)
        slices = (torch.arange(count) + torch.rand(count, generator=generator)) / count
        timesteps = (
            (slices * 1000).long().clamp(max=999)
        )  # stratified: one from each slice, for less variance
        noise = torch.randn(latents.shape, generator=generator)
        return latents, noise, timesteps, torch.cat([self.tokenize(text) for text in texts])

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return the MSE of the predicted velocity."""
        latents, noise, timesteps, ids = batch
        noisy = self.noise.add_noise(latents, noise, timesteps)
        target = self.noise.get_velocity(latents, noise, timesteps)
        hidden = self.networks["text"](ids)[0]
        prediction = self.networks["unet"](noisy, timesteps, hidden).sample
        return functional.mse_loss(prediction.float(), target)

    def draw_latents(self, generator: torch.Generator) -> CaptionedLatents:
        """Return latents and captions of single things, then of scenes."""
        latents, texts = self.draw_things(
            self.batch_size - self.single_scenes - self.pair_scenes, generator
        )
        phrases, styles, backgrounds = (
            self.scenes[key] for key in ("phrases", "styles", "grounds")
        )
        first = self.scenes["alone"]
        one = torch.randint(first, (self.single_scenes,), generator=generator)
        two = torch.randint(first, len(phrases), (self.pair_scenes,), generator=generator)
        chosen = torch.cat([one, two])
        texts += [
            self.draw_caption(phrases[i], styles[i], backgrounds[i], generator)
            for i in chosen.tolist()
        ]
        return torch.cat([latents, self.scenes["latents"][chosen]]), texts

    def draw_things(self, count: int, generator: torch.Generator) -> CaptionedLatents:
        """Return single things, at least one in five on white, which is the first background."""
        chosen = torch.randint(len(self.names), (count,), generator=generator)
        background = torch.randint(len(COLOURS), (count,), generator=generator)
        background[torch.rand(count, generator=generator) < 0.2] = 0
        texts = [
            self.draw_caption(self.names[i], self.styles[i], tuple(COLOURS)[g], generator)
            for i, g in zip(chosen.tolist(), background.tolist(), strict=True)
        ]
        return self.latents[background, chosen], texts

    def draw_caption(
        self, name: str, style: str, background: str, generator: torch.Generator
    ) -> str:
        """Return a caption, now and then with an unused word as its name or style."""
        chance = float(torch.rand((), generator=generator))
        if chance < self.unused_names:
            name = self.draw_unused_word(generator)
        elif chance < self.unused_names + self.unused_styles:
            style = self.draw_unused_word(generator)
        return draw_caption(name, style, background, generator)

    def draw_unused_word(self, generator: torch.Generator) -> str:
        """Return an unused word of the vocabulary or, half of the time, random letters."""
        if torch.rand((), generator=generator) < 0.5:
            return self.unused_words[
                int(torch.randint(len(self.unused_words), (), generator=generator))
            ]
        length = int(torch.randint(3, 8, (), generator=generator))
        letters = torch.randint(len(ascii_lowercase), (length,), generator=generator)
        return "".join(ascii_lowercase[i] for i in letters.tolist())

    def tokenize(self, text: str) -> torch.Tensor:
        """Return a text's token ids, from the cache if there."""
        if text not in self.token_cache:
            self.token_cache[text] = self.tokenizer(
                text, padding="max_length", truncation=True, return_tensors="pt"
            ).input_ids
        return self.token_cache[text]


def list_unused_words(tokenizer: CLIPTokenizer, known: list[str]) -> list[str]:
    """Return the vocabulary's whole words that no caption contains."""
    captions = {word for text in (*known, *COLOURS, *TINTS) for word in to_words(text).split()}
    captions |= {word for pattern in PATTERNS for word in pattern.split()}
    ends = "</w>"
    words = (token.removesuffix(ends) for token in tokenizer.get_vocab() if token.endswith(ends))
    whole = (word for word in words if len(word) > 2 and word.isascii() and word.isalpha())
    return sorted(set(whole) - captions)


def run(work: Path) -> None:
    """Train the UNet and the text encoder on single things and scenes."""
    train_distributed(UnetTask, work)
