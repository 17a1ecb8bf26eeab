"""Florence-2 (Xiao et al. 2023, arXiv 2311.06242), as transformers keeps it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from safetensors import SafetensorError

from storage.errors import JobError
from training.captioners import Description
from training.device import Device
from training.lazy import Tensor, torch, transformers
from training.modelfiles import folder

MEMORY = 2500  #: MiB, of Florence-2 large
MAX_CAPTION_TOKENS = 75  #: about what CLIP reads
TASK = "<DETAILED_CAPTION>"
#: how it begins most captions; it would be in all of them, and say nothing
OPENING = re.compile(
    r"(in )?(this|the) (image|picture|photo)\b(, (we can see|there (is|are)))?"
    r"( (shows|depicts|features|contains|is of))?[,:]?\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Florence2:
    """A loaded Florence-2."""

    model: Any
    processor: Any
    device: Device

    def describe(self, pictures: Sequence[Image.Image]) -> list[Description]:
        """Describe pictures in a sentence or two each."""
        inputs = self.read_pictures(pictures)
        with torch.no_grad():
            words = self.model.generate(
                **inputs, max_new_tokens=MAX_CAPTION_TOKENS, num_beams=3, do_sample=False
            )
        texts = self.processor.batch_decode(words, skip_special_tokens=True)
        return [Description(tidy_caption(text)) for text in texts]

    def extract_features(self, pictures: Sequence[Image.Image]) -> Tensor:
        """Return what its vision tower sees in pictures (B, places, C)."""
        with torch.no_grad():
            seen: Tensor = self.model.get_image_features(
                self.read_pictures(pictures)["pixel_values"], return_dict=True
            ).pooler_output
        return seen

    def read_pictures(self, pictures: Sequence[Image.Image]) -> dict[str, Tensor]:
        """Return pictures and the task as the model reads them."""
        colours = [picture.convert("RGB") for picture in pictures]
        made = self.processor(images=colours, text=[TASK] * len(colours), return_tensors="pt")
        on_device = {name: each.to(self.device.torch_device) for name, each in made.items()}
        return on_device | {"pixel_values": on_device["pixel_values"].to(self.model.dtype)}


def tidy_caption(text: str) -> str:
    """Return a caption on one line, without the words that begin most of them and a final dot."""
    whole = " ".join(text.split())
    opening = OPENING.match(whole)
    return whole[opening.end() if opening else 0 :].removesuffix(".")


def recognises(place: Path) -> bool:
    """Return whether a folder's config.json is of a Florence-2, as transformers has it.

    Microsoft's own files need code that comes with them, which is never run.
    """
    config = folder.read_config(place, "config.json")
    return config.get("model_type") == "florence2" and "auto_map" not in config


def load(place: Path, device: Device) -> Florence2:
    """Load a Florence-2 from its folder; only safetensors, and nothing is downloaded."""
    transformers.utils.logging.disable_progress_bar()
    try:
        model = transformers.Florence2ForConditionalGeneration.from_pretrained(
            place, dtype=device.dtype, use_safetensors=True, local_files_only=True
        )
        processor = transformers.Florence2Processor(
            transformers.CLIPImageProcessorPil.from_pretrained(place, local_files_only=True),
            transformers.AutoTokenizer.from_pretrained(place, local_files_only=True),
        )
    except (
        SafetensorError,
        OSError,
        ValueError,
        KeyError,
        AttributeError,
        RuntimeError,
    ) as broken:
        raise JobError("captioner_broken", captioner=place.name) from broken
    model.eval().requires_grad_(requires_grad=False).to(device.torch_device)
    return Florence2(model, processor, device)
