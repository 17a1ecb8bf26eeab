"""Stable Diffusion 1.x: one CLIP text encoder, a UNet, a KL autoencoder; epsilon or v."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from training.families._stable import UNSAFE, Stable
from training.lazy import diffusers
from training.modelfiles import configs, folder, singlefile
from training.modelfiles.configs import SD15
from training.networks.memory import Keeps
from training.networks.sizes import Layers, Sizes

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from storage.records import Base
    from training.device import Device

RESOLUTION, MEMORY = 512, 3500
SHAPE = SD15
KEEPS = Keeps(
    denoiser=859_520_964,
    linear=270_049_280,
    texts=123_060_480,
    attention=272_500,
    every=328_000,
    frugal=70_000,
    seen=17_400,
)
SIZES = Sizes(
    Layers(
        (
            (320, 320, 1, 30),
            (320, 768, 1, 10),
            (640, 640, 1, 30),
            (640, 768, 1, 10),
            (1280, 768, 1, 12),
            (1280, 1280, 1, 36),
        ),
        (
            (320, 320, 1, 10),
            (320, 320, 9, 7),
            (320, 640, 9, 2),
            (320, 960, 9, 1),
            (320, 1280, 1, 5),
            (640, 320, 9, 1),
            (640, 640, 1, 10),
            (640, 640, 9, 6),
            (640, 960, 9, 1),
            (640, 1280, 9, 1),
            (640, 1920, 9, 1),
            (640, 2560, 1, 5),
            (1280, 640, 9, 1),
            (1280, 1280, 1, 12),
            (1280, 1280, 9, 17),
            (1280, 1920, 9, 1),
            (1280, 2560, 9, 5),
            (1280, 5120, 1, 6),
            (2560, 320, 1, 5),
            (5120, 640, 1, 5),
            (10_240, 1280, 1, 6),
        ),
    ),
    Layers(
        ((768, 768, 1, 48),),
        (
            (768, 3072, 1, 12),
            (3072, 768, 1, 12),
        ),
    ),
    model=2_132_700_000,
    words=(768,),
)


class Sd1(Stable):
    """A resident Stable Diffusion 1.x."""

    name = "sd1"
    architecture = "stable-diffusion-v1"
    version = "sd_v1"


def recognises(place: Path) -> bool:
    """Tell from its files whether a base is a Stable Diffusion 1.x."""
    if place.is_file():
        return singlefile.family(place) == "sd1"
    return folder.kind(place) == ("StableDiffusionPipeline", "quick_gelu")


def load(place: Path, device: Device, base: Base) -> Sd1:
    """Load a diffusers folder or a single file. Nothing is downloaded, nothing unpickled."""
    return Sd1(partial(read, place), device, base)


def read(place: Path, dtype: torch.dtype) -> Any:
    """Read its pipeline."""
    if place.is_file():
        singlefile.demand(place, "sd1")
        return singlefile.load(place, dtype, SHAPE)
    return folder.load(place, dtype, diffusers.StableDiffusionPipeline, **UNSAFE)


def drawn(*, large: bool) -> Any:
    """Make a model of random weights: of true size, or the same blocks with few channels."""
    return singlefile.drawn(SHAPE if large else configs.tiny(SHAPE))
