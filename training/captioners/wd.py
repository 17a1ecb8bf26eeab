"""The WD taggers of SmilingWolf, version 3, whose network is a plain vision transformer.

They name what a drawing shows by Danbooru's tags. Their files are timm's: `config.json`,
`model.safetensors` and `selected_tags.csv`. As OpenCV read the pictures that they were trained on,
colours come as blue, green, red; pictures are made square with white
(https://github.com/neggles/wdv3-timm).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageOps
from safetensors import SafetensorError

from storage.errors import JobError
from training.captioners import Description
from training.device import Device
from training.lazy import Tensor, torch
from training.modelfiles import folder, tensorfile

MEMORY = 600  #: MiB
TAGS_FILE, WEIGHTS_FILE = "selected_tags.csv", "model.safetensors"
ARCHITECTURE, HEAD_WIDTH = "vit_base_patch16_224", 64
GENERAL, CHARACTER = "0", "4"  #: Danbooru's categories; 9 are ratings
MIN_SCORES = {GENERAL: 0.35, CHARACTER: 0.75}  #: by category; as wdv3-timm has them
MAX_TAGS = 30  #: about what CLIP reads
KAOMOJI_CHARS = 3  #: tags of so few signs, such as ^_^, keep their underscores
EPSILON = 1e-6  #: of timm's layer norms


class Tag(NamedTuple):
    """A tag, and its category."""

    name: str
    category: str


@dataclass(frozen=True, slots=True)
class Tagger:
    """A loaded tagger."""

    weights: Mapping[str, Tensor]
    tags: Sequence[Tag]  #: in the order of the network's answers
    side: int  #: pixels of the square it sees
    device: Device

    def describe(self, pictures: Sequence[Image.Image]) -> list[Description]:
        """Return the tags of pictures, the surest first."""
        with torch.no_grad():
            places = self.extract_features(pictures)
            scores = apply_linear(self.weights, "head", places.mean(1)).float().sigmoid()
        return [Description(", ".join(self.choose_tags(row))) for row in scores.tolist()]

    def choose_tags(self, scores: Sequence[float]) -> list[str]:
        """Return the names of the tags that are sure enough."""
        found = sorted(zip(scores, self.tags, strict=True), reverse=True)
        sure = [tag for score, tag in found if score >= MIN_SCORES.get(tag.category, 2)]
        return [write_name(tag.name) for tag in sure[:MAX_TAGS]]

    def extract_features(self, pictures: Sequence[Image.Image]) -> Tensor:
        """Return what it sees in pictures (B, places, C)."""
        with torch.no_grad():
            return run_transformer(self.weights, self.to_pixels(pictures))

    def to_pixels(self, pictures: Sequence[Image.Image]) -> Tensor:
        """Return pictures as it sees them (B, 3, h, w): square, from -1 to 1, blue first."""
        size, white = (self.side, self.side), "white"
        squares = [
            ImageOps.pad(each.convert("RGB"), size, Image.Resampling.BICUBIC, white)
            for each in pictures
        ]
        rows = [torch.frombuffer(bytearray(each.tobytes()), dtype=torch.uint8) for each in squares]
        pixels = torch.stack(rows).view(-1, self.side, self.side, 3).permute(0, 3, 1, 2).flip(1)
        dtype = self.weights["pos_embed"].dtype
        return (pixels.to(self.device.torch_device).float() / 127.5 - 1).to(dtype)


def write_name(name: str) -> str:
    """Return a tag as people write it: with spaces."""
    return name if len(name) <= KAOMOJI_CHARS else name.replace("_", " ")


def run_transformer(weights: Mapping[str, Tensor], pixels: Tensor) -> Tensor:
    """Return the tokens (B, places, C) of pixels (B, 3, h, w): a ViT without a class token."""
    kernel = weights["patch_embed.proj.weight"]
    grid = torch.nn.functional.conv2d(
        pixels, kernel, weights["patch_embed.proj.bias"], stride=kernel.shape[-1]
    )
    tokens = grid.flatten(2).transpose(1, 2) + weights["pos_embed"]
    for number in range(count_blocks(weights)):
        block = f"blocks.{number}"
        tokens = tokens + attend(weights, block, apply_norm(weights, f"{block}.norm1", tokens))
        wide = apply_linear(
            weights, f"{block}.mlp.fc1", apply_norm(weights, f"{block}.norm2", tokens)
        )
        bent = torch.nn.functional.gelu(wide, approximate="tanh")
        tokens = tokens + apply_linear(weights, f"{block}.mlp.fc2", bent)
    return apply_norm(weights, "norm", tokens)


def attend(weights: Mapping[str, Tensor], block: str, tokens: Tensor) -> Tensor:
    """Return what the tokens of a block (B, places, C) take from each other."""
    count, places, width = tokens.shape
    parts = apply_linear(weights, f"{block}.attn.qkv", tokens)
    shaped = parts.view(count, places, 3, width // HEAD_WIDTH, HEAD_WIDTH)
    query, key, value = shaped.permute(2, 0, 3, 1, 4)
    seen = torch.nn.functional.scaled_dot_product_attention(query, key, value)
    return apply_linear(weights, f"{block}.attn.proj", seen.transpose(1, 2).flatten(2))


def count_blocks(weights: Mapping[str, Tensor]) -> int:
    """Return the number of the transformer's blocks."""
    return len({name.split(".")[1] for name in weights if name.startswith("blocks.")})


def apply_linear(weights: Mapping[str, Tensor], name: str, tokens: Tensor) -> Tensor:
    """Apply a linear layer."""
    weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    return torch.nn.functional.linear(tokens, weight, bias)


def apply_norm(weights: Mapping[str, Tensor], name: str, tokens: Tensor) -> Tensor:
    """Apply a layer norm."""
    weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    return torch.nn.functional.layer_norm(tokens, weight.shape, weight, bias, EPSILON)


def recognises(place: Path) -> bool:
    """Return whether a folder holds such a tagger."""
    architecture = folder.read_config(place, "config.json").get("architecture")
    return architecture == ARCHITECTURE and (place / TAGS_FILE).is_file()


def load(place: Path, device: Device) -> Tagger:
    """Load a tagger from its folder; only safetensors, and nothing is downloaded."""
    try:
        arguments: dict[str, Any] = folder.read_config(place, "config.json")["model_args"]
        weights = read_weights(place / WEIGHTS_FILE, device)
        tags = read_tags(place / TAGS_FILE)
        tagger = Tagger(weights, tags, int(arguments["img_size"]), device)
        tagger.describe([Image.new("RGB", (8, 8))])  # what does not fit together fails here
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RuntimeError) as broken:
        raise JobError("captioner_broken", captioner=place.name) from broken
    return tagger


def read_weights(file: Path, device: Device) -> dict[str, Tensor]:
    """Read the weights, in the device's precision."""
    from safetensors.torch import load_file  # noqa: PLC0415 - torch: seconds

    tensorfile.read_header(file)
    return {n: t.to(device.torch_device, device.dtype) for n, t in load_file(file).items()}


def read_tags(file: Path) -> list[Tag]:
    """Read the tags in the order of the network's answers."""
    with file.open(encoding="utf-8", newline="") as stream:
        return [Tag(row["name"], row["category"]) for row in csv.DictReader(stream)]
