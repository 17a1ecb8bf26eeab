"""Stable Diffusion 1.x: one CLIP text encoder, a UNet, a KL autoencoder; epsilon or v."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING

import diffusers
import transformers
from diffusers import StableDiffusionPipeline

from storage.errors import JobError
from training import ldm
from training.stable import Stable

if TYPE_CHECKING:
    from pathlib import Path

    from training.device import Device

WIDTHS = (768, 192)  #: of SD 1.x's text encoder, and of the embedded base's


class Sd1(Stable):
    """A resident Stable Diffusion 1.x."""

    name = "sd1"
    architecture = "stable-diffusion-v1"
    version = "sd_v1"


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
