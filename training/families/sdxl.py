"""Stable Diffusion XL (Podell et al. 2023, arXiv 2307.01952): two text encoders, sizes told."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from storage.planning import clip
from storage.records import Base
from training.device import Device, send
from training.families import Crop
from training.families._latent import PipelineReader
from training.families._stable import StableFamily
from training.families._stable_files import KOHYA_SDXL, STABLE_FILES
from training.lazy import Tensor, diffusers, torch
from training.modelfiles import configs, folder, singlefile
from training.modelfiles.configs import SDXL
from training.networks.conditioning import Conditions
from training.networks.counts import read_counts

RESOLUTION, MEMORY = 1024, 9000
CAPTION_TOKENS = clip.CAPTION_TOKENS
OBJECTIVE = "epsilon"
FULL_RATE = 1e-6  #: diffusers, examples/text_to_image
SHAPE = SDXL
COUNTS = read_counts(__file__)
FILES = replace(STABLE_FILES, known_lycoris={"kohya": KOHYA_SDXL})


class Sdxl(StableFamily):
    """A resident Stable Diffusion XL."""

    name = "sdxl"
    architecture = "stable-diffusion-xl-v1-base"
    version = "sdxl_base_v1-0"
    guidance = 5.0
    embedding_keys = ("clip_l", "clip_g")
    text_prefixes = ("lora_te1", "lora_te2")
    sgm_layer_names = True  #: kohya-ss/sd-scripts 48d368fa, library/sdxl_original_unet.py

    def __init__(self, read: PipelineReader, device: Device, base: Base) -> None:
        super().__init__(read, device, base)
        for text, vocabulary in zip(self.text_encoders, self.vocabularies, strict=True):
            # where a prompt ends; the default, its largest id, would be a learned word's
            inner = getattr(text, "text_model", text)
            inner.eos_token_id = vocabulary.tokenizer.eos_token_id
        if self.vae.config.force_upcast:
            self.vae.float()  # it overflows in fp16

    def embed_prompts(self, tokens: Tensor) -> Conditions:
        """Turn token ids (B, 2, T) into states (B, T, 2048) and what is pooled of them (B, 1280).

        Both encoders are read at their last layer but one (section 2.1); of the second, what it
        makes of the whole prompt, too.
        """
        rows = send(tokens, self.device.torch_device).unbind(1)
        pairs = zip(self.text_encoders, rows, strict=True)
        read = [text(ids, output_hidden_states=True) for text, ids in pairs]
        layer = -max(2, self.clip_skip)
        states = torch.cat([each.hidden_states[layer] for each in read], dim=-1)
        return {"states": states, "pooled": read[1].text_embeds}

    def size_conditioning(self, frame: Crop) -> Conditions:
        """Return the photo's size, crop corner and crop size (section 2.2): six numbers."""
        return {"sizes": torch.tensor([*frame.original, *frame.corner, *frame.size])}

    def unet_kwargs(self, conditions: Conditions) -> dict[str, Any]:
        """Return the UNet's arguments beside the noisy latents."""
        pooled = conditions["pooled"]
        sizes = conditions["sizes"].to(pooled.device)  # bf16 would round them
        added = {"text_embeds": pooled, "time_ids": sizes}
        return super().unet_kwargs(conditions) | {"added_cond_kwargs": added}

    def pipeline_kwargs(self, wanted: Conditions, unwanted: Conditions) -> dict[str, Any]:
        """Return the pipeline's arguments for embedded prompts and negative ones (B, ...)."""
        return super().pipeline_kwargs(wanted, unwanted) | {
            "pooled_prompt_embeds": wanted["pooled"].to(self.denoiser_dtype),
            "negative_pooled_prompt_embeds": unwanted["pooled"].to(self.denoiser_dtype),
        }


def recognises(place: Path) -> bool:
    """Return whether a base's files are a Stable Diffusion XL."""
    if place.is_file():
        return singlefile.detect_family(place) == "sdxl"
    return folder.read_kind(place)[0] == "StableDiffusionXLPipeline"


def load(place: Path, device: Device, base: Base) -> Sdxl:
    """Load a diffusers folder or a single file. Nothing is downloaded, nothing unpickled."""
    return Sdxl(partial(read_pipeline, place), device, base)


def read_pipeline(place: Path, dtype: torch.dtype) -> Any:
    """Read its pipeline."""
    if place.is_file():
        singlefile.require_family(place, "sdxl")
        return singlefile.load_pipeline(place, dtype, SHAPE)
    networks = (*folder.STABLE, "text_encoder_2")
    return folder.load_pipeline(
        place, dtype, diffusers.StableDiffusionXLPipeline, networks, add_watermarker=False
    )


def make_random_pipeline(*, large: bool) -> Any:
    """Make a model of random weights: of true size, or the same blocks with few channels."""
    return singlefile.make_random_pipeline(SHAPE if large else configs.shrink_shape(SHAPE))
