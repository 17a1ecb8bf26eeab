"""Stable Diffusion 1.x: one CLIP text encoder, a UNet, a KL autoencoder; epsilon or v."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any

import diffusers
import numpy as np
import torch
import transformers
from diffusers import StableDiffusionPipeline
from PIL import Image
from torch import Tensor

from storage.errors import JobError
from training import ldm, objectives
from training.networks import Networks, Part

if TYPE_CHECKING:
    from pathlib import Path

    from training.device import Device
    from training.families import Picture

GUIDANCE = {64: 3.0}  #: by resolution; else 7.5
ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
FURTHER = ("ff.net.0.proj", "ff.net.2", "proj_in", "proj_out", "conv1", "conv2")
READING = ("q_proj", "k_proj", "v_proj", "out_proj")
WIDTHS = (768, 192)  #: of SD 1.x's text encoder, and of the embedded base's


class Sd1:
    """A resident Stable Diffusion 1.x."""

    name = "sd1"
    architecture = "stable-diffusion-v1"
    version = "sd_v1"

    def __init__(self, pipeline: StableDiffusionPipeline, device: Device) -> None:
        self.pipeline = pipeline
        self.device = device
        pipeline.set_progress_bar_config(disable=True)
        self.unet, self.text, self.vae = pipeline.unet, pipeline.text_encoder, pipeline.vae
        for network in (self.unet, self.text, self.vae):
            network.requires_grad_(False).eval().to(device.at)
        self.grain = 8 * 2 ** (len(self.vae.config.block_out_channels) - 3)
        self.prediction: str = pipeline.scheduler.config.prediction_type
        self.alphas: Tensor = pipeline.scheduler.alphas_cumprod.clone()
        above = "" if hasattr(self.text, "text_model") else "text_model."
        parts = (
            Part("lora_unet", self.unet, ATTENTION, FURTHER),
            Part("lora_te", self.text, READING, ("fc1", "fc2"), above, text=True),
        )
        self.networks = Networks(parts, self.text.get_input_embeddings(), self.spell)
        listen(self.networks)

    @torch.no_grad()
    def encode(self, pictures: Sequence[Image.Image]) -> Tensor:
        """Turn pictures of one right size into latents, on the CPU; the same each time."""
        arrays = np.stack([np.array(picture.convert("RGB")) for picture in pictures])
        pixels = torch.from_numpy(arrays).permute(0, 3, 1, 2).float() / 127.5 - 1
        seen = self.vae.encode(pixels.to(self.device.at, self.vae.dtype)).latent_dist.mode()
        latents: Tensor = seen * self.vae.config.scaling_factor
        return latents.float().cpu()

    def tokens(self, prompt: str) -> tuple[list[int], int]:
        """Turn a prompt into token ids, learned words included, and count those cut off."""
        tokenizer = self.pipeline.tokenizer
        first = {}
        last = len(self.networks.vocabulary.weight)
        for word, vectors in self.networks.words.items():
            first[word.lower()] = range(last, last + len(vectors))
            last += len(vectors)
        ids: list[int] = []
        for piece in split(prompt, first):
            learned = first.get(piece.lower())
            ids += learned or self.spell(piece)
        room = tokenizer.model_max_length - 2
        cut = ids[:room]
        padding = [tokenizer.pad_token_id] * (room - len(cut))
        whole = [tokenizer.bos_token_id, *cut, tokenizer.eos_token_id, *padding]
        return whole, len(ids) - len(cut)

    def spell(self, text: str) -> list[int]:
        """Turn known words into token ids, with nothing around them."""
        ids: list[int] = self.pipeline.tokenizer(text, add_special_tokens=False).input_ids
        return ids

    def states(self, tokens: Tensor) -> Tensor:
        """Turn token ids into what the UNet reads."""
        read = self.text(tokens.to(self.device.at))
        states: Tensor = read.last_hidden_state  # (B, T, D)
        return states

    def loss(
        self,
        latents: Tensor,
        states: Tensor,
        generator: torch.Generator,
        *,
        gamma: float,
        offset: float = 0.0,
    ) -> Tensor:
        """Noise a batch and measure how well the UNet sees through it."""
        x = latents  # (B, 4, h, w)
        t = objectives.timesteps(len(x), len(self.alphas), generator)
        e = objectives.noise(x.shape, offset, generator)
        a = self.alphas[t]
        noised = objectives.noised(x, e, a)
        target = objectives.TARGETS[self.prediction](x, e, a)
        weights = objectives.weight(self.prediction, a, gamma)
        at = self.device.at
        seen = self.unet(noised.to(at, self.unet.dtype), t.to(at), states, return_dict=False)[0]
        return objectives.loss(seen, target.to(at), weights.to(at))

    def draw(self, picture: Picture) -> Image.Image:
        """Draw one picture from a prompt and a seed."""
        return Image.fromarray((self.paint(picture) * 255).round().astype("uint8"))

    @torch.no_grad()
    def paint(self, picture: Picture) -> np.ndarray[Any, Any]:
        """Draw one picture in numbers from 0 to 1, (height, width, 3)."""
        pair = [self.tokens(text)[0] for text in (picture.prompt, picture.negative)]
        wanted, unwanted = self.states(torch.tensor(pair)).to(self.unet.dtype)
        side = 2 ** (len(self.vae.config.block_out_channels) - 1)
        shape = (1, self.unet.config.in_channels, picture.height // side, picture.width // side)
        noise = torch.randn(shape, generator=torch.Generator().manual_seed(picture.seed))
        scheduler = self.pipeline.scheduler
        self.pipeline.scheduler = type(scheduler).from_config(scheduler.config)
        try:
            drawn = self.pipeline(
                prompt_embeds=wanted[None],
                negative_prompt_embeds=unwanted[None],
                latents=noise.to(self.device.at, self.unet.dtype),
                num_inference_steps=picture.steps,
                guidance_scale=GUIDANCE.get(self.vae.config.sample_size, 7.5),
                height=picture.height,
                width=picture.width,
                output_type="np",
            )
        finally:
            self.pipeline.scheduler = scheduler
        painted: np.ndarray[Any, Any] = drawn.images[0]
        return painted

    def checkpointing(self, enabled: bool) -> None:  # a switch
        """Keep less in memory in training, for a third more time."""
        if enabled:
            self.unet.enable_gradient_checkpointing()
        else:
            self.unet.disable_gradient_checkpointing()

    def present(self, *parts: str) -> AbstractContextManager[None]:
        """Have these on the device inside the block."""
        return self.placed(parts, self.device.at)

    def absent(self, *parts: str) -> AbstractContextManager[None]:
        """Keep these off the device inside the block; on a CPU there is nothing to gain."""
        return self.placed(parts, torch.device("cpu"))

    @contextmanager
    def placed(self, parts: Iterable[str], device: torch.device) -> Iterator[None]:
        """Move networks for the time of a block."""
        networks = {"text": self.text, "unet": self.unet, "vae": self.vae}
        before = {name: networks[name].device for name in parts}
        for name in before:
            networks[name].to(device)
        try:
            yield
        finally:
            for name, at in before.items():
                networks[name].to(at)


def split(prompt: str, words: Iterable[str]) -> list[str]:
    """Cut a prompt at the learned words in it."""
    known = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    if not known:
        return [prompt]
    return [piece for piece in re.split(rf"(?i)(?<!\w)({known})(?!\w)", prompt) if piece.strip()]


def listen(networks: Networks) -> None:
    """Let the vocabulary answer with learned vectors for the ids after its own."""
    known = len(networks.vocabulary.weight)
    asked: list[Tensor] = []

    def before(_: torch.nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
        if not networks.words:
            return None
        asked[:] = given[:1]
        return (given[0].clamp(max=known - 1),)

    def after(_: torch.nn.Module, __: tuple[Tensor, ...], found: Tensor) -> Tensor | None:
        if not networks.words:
            return None
        learned = torch.cat([vectors.to(found) for vectors in networks.words.values()])
        ids = asked.pop()
        spoken = torch.nn.functional.embedding((ids - known).clamp(min=0), learned)
        return torch.where((ids >= known)[..., None], spoken, found)

    networks.vocabulary.register_forward_pre_hook(before)
    networks.vocabulary.register_forward_hook(after)


def recognises(place: Path) -> bool:
    """Tell from its files whether a base is a Stable Diffusion 1.x."""
    if place.is_file():
        return ldm.recognises(place)
    try:
        index = json.loads((place / "model_index.json").read_text("utf-8"))
        text = json.loads((place / "text_encoder" / "config.json").read_text("utf-8"))
        unet = json.loads((place / "unet" / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    kind = index.get("_class_name") == "StableDiffusionPipeline"
    return kind and text.get("hidden_size") in WIDTHS and unet.get("in_channels") == 4


def load(place: Path, device: Device) -> Sd1:
    """Load a diffusers folder or a single file. Nothing is downloaded, nothing unpickled."""
    if place.is_file():
        return Sd1(ldm.load(place, device.dtype), device)
    folders = [place / part for part in ("unet", "text_encoder", "vae")]
    safe = [[file.name for file in folder.glob("*.safetensors")] for folder in folders]
    if not all(safe):
        raise JobError("base_pickle", base=place.name)
    variant = "fp16" if all(".fp16." in name for name in chain(*safe)) else None
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
    try:
        pipeline = StableDiffusionPipeline.from_pretrained(
            place,
            dtype=device.dtype,
            variant=variant,
            use_safetensors=True,
            local_files_only=True,
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    except (OSError, ValueError, RuntimeError, KeyError) as broken:
        raise JobError("base_broken", base=place.name) from broken
    return Sd1(pipeline, device)
