"""Stage `start`: let the denoiser start from the shipped weights instead of random ones.

So a training can be continued on any machine from what is in the repository. Layers of another
shape start at random.
"""

# ruff: noqa: T201  # a stage prints what it measured

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from safetensors.torch import load_file

from training.embedded import verify_folder
from training.pretraining.tokenizers import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

START = "start"  #: in the work folder


def run(work: Path) -> None:
    """Copy the shipped pipeline, whose tokenizer the new base takes over."""
    shipped = verify_folder("diffusion")
    if (work / FOLDER).exists():
        raise SystemExit(f"{work} has a tokenizer already. Run `start` in an empty folder, first.")
    shutil.copytree(shipped, work / START)
    shutil.copytree(shipped / "tokenizer", work / FOLDER)


def load_fitting_weights(network: nn.Module, work: Path, part: str) -> None:
    """Load a part's weights where the work folder has a start; those of other shapes stay."""
    if not (work / START).exists():
        return
    (file,) = (work / START / part).glob("*.safetensors")
    own = network.state_dict()
    fitting = {
        name: weight.float()
        for name, weight in load_file(file).items()
        if name in own and weight.shape == own[name].shape
    }
    network.load_state_dict(own | fitting)
    print(f"{part}: {len(fitting)} of {len(own)} weights are those of the shipped model")
