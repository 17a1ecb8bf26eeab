"""Stage `restore`: take up the training of the shipped base where only its weights are left.

After it, `all` makes a new captioner beside the base that is shipped.
"""

# ruff: noqa: T201  # a stage prints what it measured

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file

from training.embedded import verified
from training.embedded.order import remember
from training.embedded.tokens import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torch import Tensor

PARTS = {
    "vae": {"": "vae/diffusion_pytorch_model.safetensors"},
    "unet": {
        "unet.": "unet/diffusion_pytorch_model.safetensors",
        "text.": "text_encoder/model.safetensors",
    },
}  #: by stage: where the tensors lie, by what its checkpoint calls them


def run(work: Path) -> None:
    """Write `vae.ckpt` and `unet.ckpt` where they are missing: the averages, and no optimizer."""
    shipped = verified("diffusion")
    if not (work / FOLDER).exists():  # what was trained here since then is numbered by its own
        shutil.copytree(shipped / FOLDER, work / FOLDER)
    for stage, files in PARTS.items():
        path = work / f"{stage}.ckpt"
        if path.exists():
            print(f"{path.name} is there already")
            continue
        average = dict(tensors(shipped, files))
        torch.save({"average": average}, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)
        remember(work, {stage: 0})
        print(f"{path.name}: {len(average)} tensors")


def tensors(shipped: Path, files: dict[str, str]) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors of a stage in fp32, by their names in its checkpoint."""
    for prefix, file in files.items():
        for name, tensor in load_file(shipped / file).items():
            yield prefix + name, tensor.float()
