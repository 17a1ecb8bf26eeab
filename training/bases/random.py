"""Random models of every family's layout: tiny ones of a few megabytes, to try things on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from training.families import walk
from training.lazy import diffusers, transformers

if TYPE_CHECKING:
    from pathlib import Path


def make_random_model(family: str, seed: int = 0, *, large: bool = False) -> Any:
    """Make a family's tiny model, or one of true size, as a pipeline, its weights from a seed.

    They are fp32, and, like those of models that are handed around, such as fp16 can write.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        pipeline = walk()[family].drawn(large=large)
    for network in pipeline.components.values():
        for parameter in network.parameters() if hasattr(network, "parameters") else ():
            parameter.data = parameter.data.half().float()
    return pipeline


def write_random_model(folder: Path, family: str, *, large: bool = False) -> Path:
    """Write a family's tiny model, or one of true size, as a folder the way diffusers does."""
    place = folder / f"{'random' if large else 'tiny'}-{family}"
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
    make_random_model(family, large=large).save_pretrained(place)
    return place
