"""Stable Diffusion 1.x: one CLIP text encoder, a UNet, a KL autoencoder; epsilon or v."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from diffusers import StableDiffusionPipeline

from training import folders, ldm, shapes
from training.estimate import Keeps
from training.shapes import SD15
from training.stable import UNSAFE, Stable

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from storage.records import Base
    from training.device import Device

RESOLUTION, MEMORY = 512, 3500
SHAPE = SD15
KEEPS = Keeps(859_520_964, 123_060_480, attention=272_500, every=328_000, frugal=70_000)


class Sd1(Stable):
    """A resident Stable Diffusion 1.x."""

    name = "sd1"
    architecture = "stable-diffusion-v1"
    version = "sd_v1"


def recognises(place: Path) -> bool:
    """Tell from its files whether a base is a Stable Diffusion 1.x."""
    if place.is_file():
        return ldm.family(place) == "sd1"
    return folders.kind(place) == ("StableDiffusionPipeline", "quick_gelu")


def load(place: Path, device: Device, base: Base) -> Sd1:
    """Load a diffusers folder or a single file. Nothing is downloaded, nothing unpickled."""
    return Sd1(partial(read, place), device, base)


def read(place: Path, dtype: torch.dtype) -> Any:
    """Read its pipeline."""
    if place.is_file():
        ldm.demand(place, "sd1")
        return ldm.load(place, dtype, SHAPE)
    return folders.load(place, dtype, StableDiffusionPipeline, **UNSAFE)


def drawn(*, large: bool) -> Any:
    """Make a model of random weights: of true size, or the same blocks with few channels."""
    return ldm.drawn(SHAPE if large else shapes.tiny(SHAPE))
