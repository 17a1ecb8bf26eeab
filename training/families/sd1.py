"""Stable Diffusion 1.x: one CLIP text encoder, a UNet, a KL autoencoder; epsilon or v."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from storage.planning import clip
from storage.records import Base
from training.device import Device
from training.families._stable import NO_SAFETY_CHECKER, StableFamily
from training.families._stable_files import LYCORIS_3, STABLE_FILES
from training.lazy import diffusers, torch
from training.modelfiles import configs, folder, singlefile
from training.modelfiles.configs import SD15
from training.networks.counts import read_counts

RESOLUTION, MEMORY = 512, 3500
CAPTION_TOKENS = clip.CAPTION_TOKENS
OBJECTIVE = "epsilon"
FULL_RATE = 1e-5  #: diffusers, examples/text_to_image
SHAPE = SD15
COUNTS = read_counts(__file__)
FILES = replace(STABLE_FILES, needs={"kohya": LYCORIS_3})


class Sd1(StableFamily):
    """A resident Stable Diffusion 1.x."""

    name = "sd1"
    mostly_convolutions = True
    architecture = "stable-diffusion-v1"
    version = "sd_v1"


def recognises(place: Path) -> bool:
    """Return whether a base's files are a Stable Diffusion 1.x."""
    if place.is_file():
        return singlefile.detect_family(place) == "sd1"
    return folder.read_kind(place) == ("StableDiffusionPipeline", "quick_gelu")


def load(place: Path, device: Device, base: Base) -> Sd1:
    """Load a diffusers folder or a single file. Nothing is downloaded, nothing unpickled."""
    return Sd1(partial(read_pipeline, place), device, base)


def read_pipeline(place: Path, dtype: torch.dtype) -> Any:
    """Read its pipeline."""
    if place.is_file():
        singlefile.require_family(place, "sd1")
        return singlefile.load_pipeline(place, dtype, SHAPE)
    return folder.load_pipeline(
        place, dtype, diffusers.StableDiffusionPipeline, **NO_SAFETY_CHECKER
    )


def make_random_pipeline(*, large: bool) -> Any:
    """Make a model of random weights: of true size, or the same blocks with few channels."""
    return singlefile.make_random_pipeline(SHAPE if large else configs.shrink_shape(SHAPE))
