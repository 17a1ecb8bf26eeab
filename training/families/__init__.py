"""Families: a module here is the code that knows one architecture, found by its being here.

A module gives `recognises(place)` and `load(place, device, base)`, which returns a `Family`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from PIL import Image

from storage.records import Base
from training.device import Device
from training.lazy import Tensor, torch
from training.networks.conditioning import Conditions
from training.networks.counts import Counts
from training.networks.networks import Networks
from training.networks.traits import FamilyFiles


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture to draw."""

    prompt: str
    negative: str
    seed: int
    steps: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Crop:
    """How a photo was cut to what is learned from, in pixels; (height, width), (top, left)."""

    original: tuple[int, int]  #: the photo's size
    corner: tuple[int, int]  #: where the cut begins, in the photo scaled to it
    size: tuple[int, int]  #: of the cut


class Family(Protocol):
    """A resident base and everything that depends on its architecture."""

    name: str
    architecture: str  #: as modelspec calls it
    version: str  #: of the base, as kohya's tools call it
    size_multiple: int  #: the sides of a picture are multiples of this
    networks: Networks
    prediction: str
    modified: bool  #: whether its numbers are no longer those of its files

    def encode(self, pictures: Sequence[Image.Image]) -> Tensor:
        """Return the latents (B, C, h, w) of pictures of one size, on the CPU."""

    def tokenize(self, prompt: str) -> tuple[Tensor, int]:
        """Return a prompt's token ids (V, T), and how many were cut off.

        A row is for a vocabulary; a language model's second one tells which ids count.
        """

    def embed_prompts(self, tokens: Tensor) -> Conditions:
        """Return the conditions that the denoiser reads, of token ids (B, V, T)."""

    def size_conditioning(self, frame: Crop) -> Conditions:
        """Return the conditions (SDXL's micro-conditioning) of how a photo was cropped."""

    def draw_inputs(
        self,
        latents: Tensor,
        generator: torch.Generator,
        *,
        min_snr_gamma: float,
        noise_offset: float = 0.0,
        loss_weights: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Add noise to latents (B, C, h, w); return what a loss reads beside the conditions.

        All randomness of a step is here, and nothing needs the device. `loss_weights` (B, 1, h, w)
        weighs the places of its latents.
        """

    def compute_loss(self, inputs: Conditions) -> Tensor:
        """Return the loss of drawn inputs and conditions, or of the `tokens` of prompts."""

    def loss(
        self, latents: Tensor, conditions: Conditions, generator: torch.Generator, **options: Any
    ) -> Tensor:
        """Draw inputs and return their loss."""

    def sample_image(self, picture: Picture) -> Image.Image:
        """Draw one picture."""

    def sample_images(self, pictures: Sequence[Picture]) -> list[Image.Image]:
        """Draw a batch of pictures of one size and number of steps."""

    def set_gradient_checkpointing(self, enabled: bool) -> None:  # a switch
        """Switch gradient checkpointing."""

    def quantize(self) -> None:
        """Round the frozen denoiser to 4 bits (NF4)."""

    def with_free_memory(self, part: str, needed: int) -> AbstractContextManager[None]:
        """Free so many bytes inside the block, if need be with this part alone on the device."""

    def on_device(self, *parts: str) -> AbstractContextManager[None]:
        """Keep parts ("text", "denoiser", "vae") on the device inside the block."""

    def off_device(self, *parts: str) -> AbstractContextManager[None]:
        """Move parts off the device inside the block."""


class FamilyModule(Protocol):
    """What a family's module has."""

    RESOLUTION: int  #: that its bases are made for
    MEMORY: int  #: MiB that one takes in the worker
    CAPTION_TOKENS: int  #: that it reads of a caption; 0 if that is more than any has
    COUNTS: Counts  #: `read_counts(__file__)`
    OBJECTIVE: str  #: what its denoiser usually predicts: "epsilon", "v" or "flow"
    FULL_RATE: float  #: learning rate at which whole networks are fine-tuned
    FILES: FamilyFiles

    def recognises(self, place: Path) -> bool:
        """Return whether a base's files are of this family."""

    def load(self, place: Path, device: Device, base: Base) -> Family:
        """Load a base."""

    def make_random_pipeline(self, *, large: bool) -> Any:
        """Return a pipeline of random weights, of true size or tiny."""


def names() -> list[str]:
    """Name the families by the modules in this folder; none of them is imported."""
    return [
        module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")
    ]


def walk() -> dict[str, FamilyModule]:
    """Find the families by the modules in this folder."""
    return {name: importlib.import_module(f"{__name__}.{name}") for name in names()}
