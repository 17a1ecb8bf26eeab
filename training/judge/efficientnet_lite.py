"""EfficientNet-Lite2 (Tan and Le 2019, arXiv 1905.11946) without its classifier.

The Lite variant has no squeeze-and-excitation, ReLU6 in place of swish, and a stem and head of
fixed width. Its batch norms are folded into the convolutions, by
`training.pretraining.efficientnet`, so that the network is convolutions alone, and their weights
say how wide each one is.
"""

from __future__ import annotations

from collections.abc import Mapping

from training.lazy import Tensor, torch

SIDE = 260  #: pixels that the network was trained on
FEATURES = 1280  #: numbers that describe a picture
#: of the 21 inverted bottlenecks; a block after the first of its stage keeps the size
STRIDES = (1, 2, 1, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1)

Weights = Mapping[str, Tensor]


def describe_pixels(weights: Weights, pixels: Tensor) -> Tensor:
    """Return the features (N, 1280) of pixels (N, 3, h, w) in -1..1."""
    found = convolve(weights, "stem", pixels, stride=2)
    for at, stride in enumerate(STRIDES):
        found = apply_block(weights, f"blocks.{at}", found, stride)
    return convolve(weights, "head", found).mean((2, 3))


def apply_block(weights: Weights, name: str, given: Tensor, stride: int) -> Tensor:
    """Apply an inverted bottleneck (Sandler et al. 2018): widen, filter each channel, narrow."""
    wide = given
    if f"{name}.expand.weight" in weights:  # the first block has none
        wide = convolve(weights, f"{name}.expand", given)
    filtered = convolve(weights, f"{name}.depthwise", wide, stride)
    weight, bias = weights[f"{name}.project.weight"], weights[f"{name}.project.bias"]
    narrow = torch.nn.functional.conv2d(filtered, weight, bias)
    return narrow + given if stride == 1 and narrow.shape == given.shape else narrow


def convolve(weights: Weights, name: str, given: Tensor, stride: int = 1) -> Tensor:
    """Apply a convolution and ReLU6, padded as TensorFlow does: odd pixels right and below."""
    weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    height, width = (
        max((-(-size // stride) - 1) * stride + kernel - size, 0)
        for size, kernel in zip(given.shape[2:], weight.shape[2:], strict=True)
    )
    padding = (width // 2, width - width // 2, height // 2, height - height // 2)
    functional = torch.nn.functional
    padded = functional.pad(given, padding) if any(padding) else given
    groups = given.shape[1] // weight.shape[1]
    return functional.conv2d(padded, weight, bias, stride, groups=groups).clamp_(0, 6)
