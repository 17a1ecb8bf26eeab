"""Photos described by BLIP (Li et al. 2022), the trigger put in front."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image, UnidentifiedImageError

from storage.errors import JobError
from storage.events import Done, PhotoCaptioned, Started, Timings
from storage.folders import write_json
from training import embedded
from training.bases.registry import is_plain_name
from training.lazy import transformers
from training.modelfiles import hub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from storage.events import Event
    from storage.folders import JobFolder
    from training.bases.cache import BaseCache
    from training.device import Device

MEMORY = 2500  # MiB, of a large BLIP
TOKENS = 40  # of a caption


@dataclass(frozen=True, slots=True)
class Captioner:
    """A resident BLIP."""

    model: Any
    tokenizer: Any
    processor: Any
    device: Device

    @torch.no_grad()
    def describe(self, picture: Image.Image) -> str:
        """Say in a line what is to be seen."""
        pixels = self.processor(picture.convert("RGB"), return_tensors="pt").pixel_values
        pixels = pixels.to(self.device.torch_device, self.model.dtype)
        words = self.model.generate(pixel_values=pixels, max_new_tokens=TOKENS, num_beams=3)
        text: str = self.tokenizer.decode(words[0], skip_special_tokens=True)
        return " ".join(text.split())


def caption(folder: JobFolder, bases: BaseCache) -> Iterator[Event]:
    """Describe the photos of `job.json` into `result/captions.json`."""
    began = time.perf_counter()
    given = folder.read_request()
    request = given["request"]
    name, trigger, photos = request["captioner"], request["trigger"], request["photos"]
    pictures = sorted(path for path in folder.photos.iterdir() if not path.name.startswith("."))
    yield Started(0, len(pictures), bases.device.name, int(given.get("attempt", 1)))
    place = found(name, bases)
    found_captions: dict[str, str] = {}
    small, model = name == "embedded", f"captioner {name}"
    with bases.borrow_model(
        model, MEMORY, lambda: load(place, bases.device), small=small
    ) as captioner:
        for photo, path in zip(photos, pictures, strict=True):
            text = led(trigger, captioner.describe(opened(path)))
            found_captions[path.name] = text
            yield PhotoCaptioned(photo, path.name, text)
    write_json(folder.result / "captions.json", found_captions)
    yield Done(len(pictures), Timings(time.perf_counter() - began), "captions.json")


def led(trigger: str, text: str) -> str:
    """Put the trigger in front, once."""
    if not trigger or text.lower().startswith(trigger.lower()):
        return text
    return f"{trigger}, {text}" if text else trigger


def opened(path: Path) -> Image.Image:
    """Open a photo of the job."""
    try:
        with Image.open(path) as picture:
            return picture.convert("RGB")
    except (OSError, UnidentifiedImageError) as broken:
        raise JobError("photo_broken", file=path.name) from broken


def found(name: str, bases: BaseCache) -> Path:
    """Find a captioner's files: the embedded one, the operator's, or one in the hub's cache."""
    if name == "embedded":
        return embedded.verified("blip")
    own = bases.folder / name if bases.folder and is_plain_name(name) else None
    place = own if own and own.is_dir() else hub.cached(name) if "/" in name else None
    if place is None:
        raise JobError("captioner_missing", captioner=name[:100])
    return place


def load(place: Path, device: Device) -> Captioner:
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
    return Captioner(model, tokenizer, processor, device)
