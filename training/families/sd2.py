"""Stable Diffusion 2.x: one OpenCLIP text encoder; v at 768 pixels, epsilon at 512.

Where a base's scheduler asks for it, the last timestep is pure noise (Lin et al. 2023,
arXiv 2305.08891).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from training.families._stable import UNSAFE, Stable
from training.lazy import diffusers
from training.modelfiles import configs, folder, singlefile
from training.modelfiles.configs import SD2
from training.networks.memory import Keeps
from training.networks.sizes import Layers, Sizes

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from storage.records import Base
    from training.device import Device
    from training.families._latent import Read

RESOLUTION, MEMORY = 768, 4500
SHAPE = SD2
KEEPS = Keeps(
    denoiser=865_910_724,
    linear=301_219_840,
    texts=340_387_840,
    attention=262_000,
    every=321_500,
    frugal=58_000,
    seen=17_400,
)
SIZES = Sizes(
    Layers(
        (
            (320, 320, 1, 30),
            (320, 1024, 1, 10),
            (640, 640, 1, 30),
            (640, 1024, 1, 10),
            (1280, 1024, 1, 12),
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
        ((1024, 1024, 1, 92),),
        (
            (1024, 4096, 1, 23),
            (4096, 1024, 1, 23),
        ),
    ),
    model=2_580_200_000,
    words=(1024,),
)


class Sd2(Stable):
    """A resident Stable Diffusion 2.x."""

    name = "sd2"

    def __init__(self, read: Read, device: Device, base: Base) -> None:
        super().__init__(read, device, base)
        v = self.prediction == "v_prediction"
        self.architecture = f"stable-diffusion-v2-{'768-v' if v else '512'}"
        self.version = "sd_v2_v" if v else "sd_v2"


def recognises(place: Path) -> bool:
    """Tell from its files whether a base is a Stable Diffusion 2.x."""
    if place.is_file():
        return singlefile.family(place) == "sd2"
    return folder.kind(place) == ("StableDiffusionPipeline", "gelu")


def load(place: Path, device: Device, base: Base) -> Sd2:
    """Load a diffusers folder or a single file. Nothing is downloaded, nothing unpickled."""
    return Sd2(partial(read, place), device, base)


def read(place: Path, dtype: torch.dtype) -> Any:
    """Read its pipeline."""
    if place.is_file():
        singlefile.demand(place, "sd2")
        return singlefile.load(place, dtype, SHAPE)
    return folder.load(place, dtype, diffusers.StableDiffusionPipeline, **UNSAFE)


def drawn(*, large: bool) -> Any:
    """Make a v-model of random weights: of true size, or the same blocks with few channels."""
    return singlefile.drawn(SHAPE if large else configs.tiny(SHAPE), "v_prediction", zeroed=True)
