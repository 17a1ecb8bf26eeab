"""BLIP (Li et al. 2022, arXiv 2201.12086), as transformers keeps it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from safetensors import SafetensorError

from storage.errors import JobError
from training.captioners import Description
from training.captioners._ground import describe_ground, measure_ground
from training.device import Device
from training.lazy import Tensor, torch, transformers
from training.modelfiles import folder

MEMORY = 2500  #: MiB, of BLIP large
MAX_CAPTION_TOKENS = 40
LIMITS_FILE = "limits.json"  #: beside a BLIP that was trained on one kind of pictures


@dataclass(frozen=True, slots=True)
class Limits:
    """What a BLIP that was trained on one kind of pictures knows."""

    min_score: float  #: mean log-likelihood a token of the captions that are kept
    max_ground_difference: float  #: of `measure_ground`; it saw nothing but plain grounds


@dataclass(frozen=True, slots=True)
class Blip:
    """A loaded BLIP."""

    model: Any
    tokenizer: Any
    processor: Any
    device: Device
    limits: Limits | None = None

    def describe(self, pictures: Sequence[Image.Image]) -> list[Description]:
        """Describe pictures; beyond its limits, name a plain ground or nothing."""
        return [
            Description(text)
            if self.knows(picture, score)
            else Description(describe_ground(picture), known=False)
            for picture, (text, score) in zip(pictures, self.write(pictures), strict=True)
        ]

    def write(self, pictures: Sequence[Image.Image]) -> list[tuple[str, float]]:
        """Write a caption for each picture, known or not, with its log-likelihood a token."""
        with torch.no_grad():
            found = self.model.generate(
                pixel_values=self.to_pixels(pictures),
                max_new_tokens=MAX_CAPTION_TOKENS,
                num_beams=3,
                output_scores=True,
                return_dict_in_generate=True,
            )
        texts = self.tokenizer.batch_decode(found.sequences, skip_special_tokens=True)
        scores = found.sequences_scores.tolist()
        return [(" ".join(text.split()), score) for text, score in zip(texts, scores, strict=True)]

    def knows(self, picture: Image.Image, score: float) -> bool:
        """Return whether a picture, and the caption written for it, are within its limits."""
        limits = self.limits
        return limits is None or (
            score >= limits.min_score and measure_ground(picture) <= limits.max_ground_difference
        )

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
        limits = read_limits(place)
    except (SafetensorError, OSError, ValueError, TypeError, RuntimeError) as broken:
        raise JobError("captioner_broken", captioner=place.name) from broken
    model.eval().requires_grad_(requires_grad=False).to(device.torch_device)
    return Blip(model, tokenizer, processor, device, limits)


def read_limits(place: Path) -> Limits | None:
    """Read the limits of a BLIP; None for one that was trained on pictures of all kinds."""
    path = place / LIMITS_FILE
    return Limits(**json.loads(path.read_text("utf-8"))) if path.is_file() else None
