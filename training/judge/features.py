"""Describe pictures by vectors, so that similar pictures have similar ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
from PIL import Image
from safetensors import safe_open

from storage.errors import JobError
from training.device import Device
from training.embedded import verify_folder
from training.judge.efficientnet_lite import FEATURES, SIDE, Weights, describe_pixels
from training.lazy import Tensor, torch

NAME = "EfficientNet-Lite2"  #: scores are named after it
FOLDER = "efficientnet_lite2"  #: among the embedded models
FILE = "model.safetensors"
BATCH_SIZE = 4  #: pictures at once: more of them do not fit into a core's cache


class FeatureExtractor(Protocol):
    """Whatever describes pictures by vectors."""

    def extract(self, pictures: Sequence[Image.Image]) -> Tensor:
        """Return the features (N, D) of pictures, each of length 1, on the CPU."""
        ...


@dataclass(frozen=True, slots=True)
class FeatureNet:
    """The shipped network on one device; 9 MB of weights, kept in fp32 there."""

    weights: Weights
    device: torch.device

    @classmethod
    def load(cls, device: Device) -> FeatureNet:
        """Load the shipped weights; raise JobError if they are missing or damaged."""
        return cls(read_weights(device.torch_device), device.torch_device)

    def extract(self, pictures: Sequence[Image.Image]) -> Tensor:
        """Return the features (N, 1280) of pictures, each of length 1, on the CPU.

        A picture takes 30 ms on one core. The cosine of two is their product: .5 to .95 for photos
        of one subject, .26 on average for others.
        """
        found = [torch.empty(0, FEATURES)]
        for start in range(0, len(pictures), BATCH_SIZE):
            some = torch.cat([to_pixels(one) for one in pictures[start : start + BATCH_SIZE]])
            with torch.no_grad():
                features = describe_pixels(self.weights, arrange(some.to(self.device)))
            found.append(features.cpu())
        return torch.nn.functional.normalize(torch.cat(found), dim=1)


@cache
def read_weights(device: torch.device) -> Weights:
    """Read the shipped weights onto a device, once a process: 19 MB there."""
    path = verify_folder(FOLDER) / FILE
    try:
        with safe_open(path, "pt") as file:
            stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, ValueError) as broken:
        raise JobError("embedded_damaged", file=path.name) from broken
    return {name: arrange(each.float().to(device)) for name, each in stored.items()}


def arrange(tensor: Tensor) -> Tensor:
    """Return pictures or kernels with their channels last in memory: twice as fast on a CPU."""
    last = tensor.ndim == 4
    return tensor.contiguous(memory_format=torch.channels_last) if last else tensor


def to_pixels(picture: Image.Image) -> Tensor:
    """Return a picture's pixels (1, 3, 260, 260) in -1..1, as TensorFlow's Lite networks take."""
    small = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    pixels = torch.from_numpy(np.array(small)).permute(2, 0, 1)
    return pixels[None].float() / 127.5 - 1
