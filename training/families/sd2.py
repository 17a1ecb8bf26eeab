"""Stable Diffusion 2.x: one OpenCLIP text encoder; v at 768 pixels, epsilon at 512.

Where a base's scheduler asks for it, the last timestep is pure noise (Lin et al. 2023,
arXiv 2305.08891).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from storage.planning import clip
from storage.records import Base
from training.device import Device
from training.families._latent import PipelineReader
from training.families._stable import NO_SAFETY_CHECKER, StableFamily
from training.families._stable_files import LYCORIS_3, STABLE_FILES
from training.lazy import diffusers, torch
from training.modelfiles import configs, folder, singlefile
from training.modelfiles.configs import SD2
from training.networks.counts import read_counts

RESOLUTION, MEMORY = 768, 4500
CAPTION_TOKENS = clip.CAPTION_TOKENS
OBJECTIVE = "v"
FULL_RATE = 1e-5  #: diffusers, examples/text_to_image
SHAPE = SD2
COUNTS = read_counts(__file__)
# Forge Neo's README, 00950b8f, and its backend/loader.py, 0a4d9229: it was left out.
FILES = replace(
    STABLE_FILES,
    needs={"kohya": LYCORIS_3},
    unknown_to={"Forge Neo": "doesn't support Stable Diffusion 2"},
)


class Sd2(StableFamily):
    """A resident Stable Diffusion 2.x."""

    name = "sd2"
    mostly_convolutions = True

    def __init__(self, read: PipelineReader, device: Device, base: Base) -> None:
        super().__init__(read, device, base)
        v = self.prediction == "v_prediction"
        self.architecture = f"stable-diffusion-v2-{'768-v' if v else '512'}"
        self.version = "sd_v2_v" if v else "sd_v2"


def recognises(place: Path) -> bool:
    """Return whether a base's files are a Stable Diffusion 2.x."""
    if place.is_file():
        return singlefile.detect_family(place) == "sd2"
    return folder.read_kind(place) == ("StableDiffusionPipeline", "gelu")


def load(place: Path, device: Device, base: Base) -> Sd2:
    """Load a diffusers folder or a single file. Nothing is downloaded, nothing unpickled."""
    return Sd2(partial(read_pipeline, place), device, base)


def read_pipeline(place: Path, dtype: torch.dtype) -> Any:
    """Read its pipeline."""
    if place.is_file():
        singlefile.require_family(place, "sd2")
        return singlefile.load_pipeline(place, dtype, SHAPE)
    return folder.load_pipeline(
        place, dtype, diffusers.StableDiffusionPipeline, **NO_SAFETY_CHECKER
    )


def make_random_pipeline(*, large: bool) -> Any:
    """Make a v-model of random weights: of true size, or the same blocks with few channels."""
    return singlefile.make_random_pipeline(
        SHAPE if large else configs.shrink_shape(SHAPE), "v_prediction", zeroed=True
    )
