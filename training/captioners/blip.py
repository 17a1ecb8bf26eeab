"""BLIP (Li et al. 2022, arXiv 2201.12086), as transformers keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from storage.errors import JobError
from training.device import Device
from training.lazy import Tensor, torch, transformers
from training.modelfiles import folder

MEMORY = 2500  #: MiB, of BLIP large
MAX_CAPTION_TOKENS = 40


@dataclass(frozen=True, slots=True)
class Blip:
    """A loaded BLIP."""

    model: Any
    tokenizer: Any
    processor: Any
    device: Device

    def describe(self, picture: Image.Image) -> str:
        """Return what a picture shows, in one line."""
        with torch.no_grad():
            words = self.model.generate(
                pixel_values=self.to_pixels([picture]),
                max_new_tokens=MAX_CAPTION_TOKENS,
                num_beams=3,
            )
        text: str = self.tokenizer.decode(words[0], skip_special_tokens=True)
        return " ".join(text.split())

    def extract_features(self, pictures: Sequence[Image.Image]) -> Tensor:
        """Return what its vision tower sees in pictures (B, places, C)."""
        with torch.no_grad():
            seen: Tensor = self.model.vision_model(self.to_pixels(pictures)).last_hidden_state
        return seen

    def to_pixels(self, pictures: Sequence[Image.Image]) -> Tensor:
        """Return pictures as the vision tower reads them (B, 3, h, w)."""
        colours = [picture.convert("RGB") for picture in pictures]
        pixels: Tensor = self.processor(colours, return_tensors="pt").pixel_values
        return pixels.to(self.device.torch_device, self.model.dtype)


def recognises(place: Path) -> bool:
    """Return whether a folder's config.json is of a BLIP."""
    return folder.read_config(place, "config.json").get("model_type") == "blip"


def load(place: Path, device: Device) -> Blip:
    """Load a BLIP from its folder; only safetensors, and nothing is downloaded."""
    transformers.utils.logging.disable_progress_bar()
    try:
        model = transformers.BlipForConditionalGeneration.from_pretrained(
            place, dtype=device.dtype, use_safetensors=True, local_files_only=True
        )
        tokenizer = transformers.BertTokenizerFast.from_pretrained(place, local_files_only=True)
        processor = transformers.BlipImageProcessorPil.from_pretrained(
            place, local_files_only=True
        )
    except (OSError, ValueError, RuntimeError) as broken:
        raise JobError("captioner_broken", captioner=place.name) from broken
    model.eval().requires_grad_(requires_grad=False).to(device.torch_device)
    return Blip(model, tokenizer, processor, device)
