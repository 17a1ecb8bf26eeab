"""The loop we compare with, written as its documentation shows it.

It follows the LoRA text-to-image example of diffusers (v0.42) in fp32 on one device: peft adapter
on the UNet's attention, a shuffling loader, AdamW, MSE on the scheduler's target, gradient norm
clipped to 1; without its accelerate wrappers, logging and checkpoints, which cost time. Cached, it
is the same loop with latents and text embeddings computed once beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from PIL import Image
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

TARGETS = ["to_k", "to_q", "to_v", "to_out.0"]
Batch = tuple[torch.Tensor, torch.Tensor]


@dataclass
class PlainLoop:
    """A pipeline with a LoRA on its UNet, its optimizer and its training photos."""

    pipeline: Any
    optimizer: torch.optim.Optimizer
    photos: Sequence[tuple[Path, str]]
    size: int  # of a batch
    cached: bool
    batches: Iterator[Batch]

    @classmethod
    def load(
        cls, folder: Path, photos: Sequence[tuple[Path, str]], *, rank: int, rate: float, size: int
    ) -> PlainLoop:
        """Load the base in fp32 and attach the adapter."""
        pipeline = StableDiffusionPipeline.from_pretrained(
            folder, dtype=torch.float32, safety_checker=None
        )
        for part in (pipeline.vae, pipeline.text_encoder, pipeline.unet):
            part.requires_grad_(False)
        config = LoraConfig(
            r=rank, lora_alpha=rank, init_lora_weights="gaussian", target_modules=TARGETS
        )
        pipeline.unet.add_adapter(config)
        pipeline.unet.train()
        trained = [each for each in pipeline.unet.parameters() if each.requires_grad]
        optimizer = torch.optim.AdamW(trained, lr=rate)
        return cls(pipeline, optimizer, photos, size, cached=False, batches=iter(()))

    def begin(self, *, cache: bool) -> None:
        """Read the photos and make the loader, of latents and text embeddings if `cache`."""
        side = self.pipeline.unet.config.sample_size * self.pipeline.vae_scale_factor
        pixels = torch.stack([read_photo(path, side) for path, _ in self.photos])
        tokens = self.pipeline.tokenizer(
            [caption for _, caption in self.photos],
            padding="max_length", truncation=True, return_tensors="pt",
        ).input_ids  # fmt: skip
        whole = pixels, tokens
        if cache:
            with torch.no_grad():
                parts = torch.split(pixels, self.size)
                whole = torch.cat([self.encode(part) for part in parts]), self.embed_text(tokens)
        self.cached, self.batches = cache, self.repeat_batches(*whole)

    def repeat_batches(self, *whole: torch.Tensor) -> Iterator[Batch]:
        """Yield shuffled batches for ever."""
        loader = DataLoader(TensorDataset(*whole), self.size, shuffle=True, drop_last=True)
        while True:
            yield from loader

    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the scaled latents of pixels."""
        vae = self.pipeline.vae
        latents: torch.Tensor = vae.encode(pixels).latent_dist.sample()
        scale: float = vae.config.scaling_factor
        return latents * scale

    def embed_text(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return the text embeddings of tokens."""
        embeddings: torch.Tensor = self.pipeline.text_encoder(tokens)[0]
        return embeddings

    def step(self) -> torch.Tensor:
        """Take one optimizer step as the documentation does; return its loss."""
        latents, text = next(self.batches)
        if not self.cached:
            latents, text = self.encode(latents), self.embed_text(text)
        noisy, steps, target = add_noise(self.pipeline.scheduler, latents)
        predicted = self.pipeline.unet(noisy, steps, text, return_dict=False)[0]
        loss = functional.mse_loss(predicted.float(), target.float())
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.optimizer.param_groups[0]["params"], 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss.detach()

    def save(self, folder: Path) -> None:
        """Write the LoRA as the documentation does."""
        state = convert_state_dict_to_diffusers(get_peft_model_state_dict(self.pipeline.unet))
        StableDiffusionPipeline.save_lora_weights(folder, unet_lora_layers=state)


def add_noise(
    scheduler: Any, latents: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Add noise at random timesteps; return noisy latents, timesteps and the target."""
    noise = torch.randn_like(latents)
    num_timesteps: int = scheduler.config.num_train_timesteps
    steps = torch.randint(0, num_timesteps, (latents.shape[0],), device=latents.device).long()
    noisy = scheduler.add_noise(latents, noise, steps)
    velocity = scheduler.config.prediction_type == "v_prediction"
    return noisy, steps, scheduler.get_velocity(latents, noise, steps) if velocity else noise


def read_photo(path: Path, side: int) -> torch.Tensor:
    """Return a photo's pixels (3, side, side) in -1..1."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB").resize((side, side))
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 127.5 - 1
