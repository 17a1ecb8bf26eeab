"""CLIP and DINOv2, where the operator has them: the measures of the DreamBooth paper.

They lie in `clip/` and `dinov2/` of the folder that SAFELIGHT_JUDGES names, as transformers saves
them, with weights as safetensors. Nothing is downloaded, and what is missing is not reported.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors import SafetensorError

from storage.errors import JobError
from training.judge.style_judge import Drawn
from training.lazy import Tensor, torch, transformers

CLIP, DINO = "clip", "dinov2"  #: folders
BATCH_SIZE, SIDE = 16, 224  #: pictures; pixels
CLIP_COLOURS = ((0.4815, 0.4578, 0.4082), (0.2686, 0.2613, 0.2758))  #: mean and deviation
IMAGENET_COLOURS = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def measure_by_encoders(
    folder: Path | None,
    device: torch.device | None,
    photos: Sequence[Image.Image],
    drawn: Sequence[Drawn],
) -> dict[str, float]:
    """Return CLIP-T, CLIP-I and DINOv2 as far as their networks are here.

    The prompts have words that CLIP knows. Raises JobError if a network is damaged.
    """
    found: dict[str, float] = {}
    pictures = [each.picture for each in drawn]
    if folder is not None and (folder / CLIP).is_dir():
        model = load(transformers.CLIPModel, folder / CLIP, device)
        see = read_pixels(folder / CLIP, CLIP_COLOURS, device)
        seen, known = (run(model.get_image_features, see, each) for each in (pictures, photos))
        words = read_words(folder / CLIP, [each.prompt for each in drawn], device)
        with torch.no_grad():
            said = normalise(model.get_text_features(**words))
        found["CLIP-T"] = float((seen * said).sum(1).mean())
        found["CLIP-I"] = float((seen @ known.T).mean())
    if folder is not None and (folder / DINO).is_dir():
        model = load(transformers.AutoModel, folder / DINO, device)
        see = read_pixels(folder / DINO, IMAGENET_COLOURS, device)
        seen, known = (run(model, see, each) for each in (pictures, photos))
        found["DINOv2"] = float((seen @ known.T).mean())
    return found


def load(kind: Any, folder: Path, device: torch.device | None) -> Any:
    """Load a network from a folder; raise JobError for a damaged one, or one of pickles."""
    try:
        model = kind.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as broken:
        raise JobError("judge_broken", file=folder.name) from broken
    return model.eval().to(device)


def read_words(folder: Path, texts: Sequence[str], device: torch.device | None) -> Any:
    """Return texts as CLIP's text network takes them."""
    try:
        tokenizer = transformers.CLIPTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, TypeError) as broken:
        raise JobError("judge_broken", file=folder.name) from broken
    return tokenizer(list(texts), padding=True, truncation=True, return_tensors="pt").to(device)


def read_pixels(
    folder: Path, colours: tuple[Sequence[float], Sequence[float]], device: torch.device | None
) -> Callable[[Image.Image], Tensor]:
    """Return what makes pixels of a picture, by the network's own settings or the usual ones."""
    told: dict[str, Any] = {}
    if (settings := folder / "preprocessor_config.json").is_file():
        told = json.loads(settings.read_text("utf-8"))
    crop = told.get("crop_size", SIDE)
    side = int(crop["height"] if isinstance(crop, dict) else crop)
    mean, deviation = (
        torch.tensor(told.get(name, usual)).view(3, 1, 1)
        for name, usual in zip(("image_mean", "image_std"), colours, strict=True)
    )

    def see(picture: Image.Image) -> Tensor:
        """Return the pixels (3, side, side) of the middle of a picture."""
        scale = side / min(picture.size)
        wide, high = (max(side, round(each * scale)) for each in picture.size)
        whole = picture.convert("RGB").resize((wide, high), Image.Resampling.BICUBIC)
        left, top = ((each - side) // 2 for each in whole.size)
        square = np.array(whole.crop((left, top, left + side, top + side)))
        levels = torch.from_numpy(square).permute(2, 0, 1).float() / 255
        return ((levels - mean) / deviation).to(device)

    return see


def run(
    model: Callable[..., Any],
    see: Callable[[Image.Image], Tensor],
    pictures: Sequence[Image.Image],
) -> Tensor:
    """Return the features (N, D) of pictures, each of length 1, on the CPU."""
    found = []
    for start in range(0, len(pictures), BATCH_SIZE):
        pixels = torch.stack([see(each) for each in pictures[start : start + BATCH_SIZE]])
        with torch.no_grad():
            found.append(normalise(model(pixel_values=pixels)))
    return torch.cat(found)


def normalise(found: Any) -> Tensor:
    """Return a network's features with length 1, whatever form it gives them in."""
    pooled = found if torch.is_tensor(found) else found.pooler_output
    features: Tensor = torch.nn.functional.normalize(pooled.float(), dim=1).cpu()
    return features
