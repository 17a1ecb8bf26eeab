"""Inception v3 as FID uses it (Szegedy et al. 2015; the weights of 2015-12-05), if it is here.

The keys are those of pytorch-fid and torchvision: `Mixed_5b.branch1x1.conv.weight`. FID's variant
leaves the border out of its means, and takes the largest of neighbours in the last block. The
weights say how wide each layer is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file

from storage.errors import JobError
from training.lazy import Tensor, torch

FILE = "inception.safetensors"  #: in the operator's folder of judges
SIDE, BATCH_SIZE = 299, 16  #: pixels; pictures
EPSILON = 0.001  #: of its batch norms
#: of each kind of block: its branches, layer after layer; layers in one tuple stand side by side
WIDE = (
    ("branch1x1",),
    ("branch5x5_1", "branch5x5_2"),
    ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"),
)
SMALLER_35 = (("branch3x3",), ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"))
LONG = (
    ("branch1x1",),
    ("branch7x7_1", "branch7x7_2", "branch7x7_3"),
    tuple(f"branch7x7dbl_{at}" for at in range(1, 6)),
)
SMALLER_17 = (("branch3x3_1", "branch3x3_2"), tuple(f"branch7x7x3_{at}" for at in range(1, 5)))
SPLIT = (
    ("branch1x1",),
    ("branch3x3_1", ("branch3x3_2a", "branch3x3_2b")),
    ("branch3x3dbl_1", "branch3x3dbl_2", ("branch3x3dbl_3a", "branch3x3dbl_3b")),
)
BLOCKS = {
    "Mixed_5b": WIDE, "Mixed_5c": WIDE, "Mixed_5d": WIDE, "Mixed_6a": SMALLER_35,
    "Mixed_6b": LONG, "Mixed_6c": LONG, "Mixed_6d": LONG, "Mixed_6e": LONG,
    "Mixed_7a": SMALLER_17, "Mixed_7b": SPLIT, "Mixed_7c": SPLIT,
}  # fmt: skip
HALVING = {"Mixed_6a", "Mixed_7a"}  #: their branches end in a step of two


@dataclass(frozen=True, slots=True)
class InceptionNet:
    """The network on one device."""

    weights: Mapping[str, Tensor]
    device: torch.device | None

    @classmethod
    def load(cls, folder: Path | None, device: torch.device | None) -> InceptionNet | None:
        """Load the operator's weights, None without them; raise JobError if they are damaged."""
        if folder is None or not (folder / FILE).is_file():
            return None
        try:
            read = load_file(folder / FILE)
        except (OSError, ValueError, SafetensorError) as broken:
            raise JobError("judge_broken", file=FILE) from broken
        return cls({name: each.float().to(device) for name, each in read.items()}, device)

    def extract(self, pictures: Sequence[Image.Image]) -> tuple[Tensor, Tensor]:
        """Return the last pooled features (N, 2048) and logits without bias (N, 1008)."""
        found = []
        for start in range(0, len(pictures), BATCH_SIZE):
            some = torch.stack([to_pixels(one) for one in pictures[start : start + BATCH_SIZE]])
            with torch.no_grad():
                found.append(describe_pixels(self.weights, some.to(self.device)).cpu())
        features = torch.cat(found)
        return features, features @ self.weights["fc.weight"].cpu().T


def to_pixels(picture: Image.Image) -> Tensor:
    """Return a picture's pixels (3, 299, 299) in -1..1."""
    small = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1).float() / 127.5 - 1


def describe_pixels(weights: Mapping[str, Tensor], pixels: Tensor) -> Tensor:
    """Return the pooled features (N, 2048) of pixels (N, 3, 299, 299)."""
    pool = torch.nn.functional.max_pool2d
    found = convolve(weights, "Conv2d_1a_3x3", pixels, stride=2)
    found = convolve(weights, "Conv2d_2a_3x3", found, padded=False)
    found = pool(convolve(weights, "Conv2d_2b_3x3", found), 3, 2)
    found = convolve(weights, "Conv2d_3b_1x1", found)
    found = pool(convolve(weights, "Conv2d_4a_3x3", found, padded=False), 3, 2)
    for name in BLOCKS:
        found = apply_block(weights, name, found)
    return found.mean((2, 3))


def apply_block(weights: Mapping[str, Tensor], name: str, given: Tensor) -> Tensor:
    """Apply the branches of a block, and its pooling, side by side."""
    functional, branches = torch.nn.functional, []
    for layers in BLOCKS[name]:
        found = given
        for at, layer in enumerate(layers):
            stride = 2 if name in HALVING and at == len(layers) - 1 else 1
            beside = (layer,) if isinstance(layer, str) else layer
            parts = [convolve(weights, f"{name}.{each}", found, stride) for each in beside]
            found = torch.cat(parts, 1)
        branches.append(found)
    if name in HALVING:
        return torch.cat([*branches, functional.max_pool2d(given, 3, 2)], 1)
    if name == "Mixed_7c":
        pooled = functional.max_pool2d(given, 3, 1, 1)
    else:
        pooled = functional.avg_pool2d(given, 3, 1, 1, count_include_pad=False)
    return torch.cat([*branches, convolve(weights, f"{name}.branch_pool", pooled)], 1)


def convolve(
    weights: Mapping[str, Tensor],
    name: str,
    given: Tensor,
    stride: int = 1,
    *,
    padded: bool = True,
) -> Tensor:
    """Apply a convolution with batch norm and ReLU; at a step of two there is no padding."""
    kernel = weights[f"{name}.conv.weight"]
    sides = [side // 2 if padded and stride == 1 else 0 for side in kernel.shape[2:]]
    found = torch.nn.functional.conv2d(given, kernel, None, stride, sides)
    mean, var, scale, shift = (
        weights[f"{name}.bn.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
    )
    normed = torch.nn.functional.batch_norm(found, mean, var, scale, shift, eps=EPSILON)
    return torch.nn.functional.relu(normed)
