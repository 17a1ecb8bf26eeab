"""Random models of every family's layout: tiny ones of a few megabytes, to try things on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import diffusers
import torch
import transformers

from training import ldm, shapes
from training.families import walk

if TYPE_CHECKING:
    from pathlib import Path

V = {"sd2"}  #: the families whose tiny model predicts v, its last timestep pure noise


def made(family: str, seed: int = 0, shape: shapes.Shape | None = None) -> Any:
    """Make a family's tiny model, or one of a shape, as a pipeline, its weights from a seed.

    They are fp32, and, like those of models that are handed around, such as fp16 can write.
    """
    shape = shape or shapes.tiny(walk()[family].SHAPE)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        networks = {
            name: type(network)(network.config)
            if hasattr(network.config, "to_dict")
            else type(network).from_config(network.config)
            for name, network in ldm.empty(shape).items()
        }
    for network in networks.values():
        for parameter in network.parameters():
            parameter.data = parameter.data.half().float()
    v = family in V
    return ldm.pipeline(networks, "v_prediction" if v else "epsilon", zeroed=v)


def kept(folder: Path, family: str, shape: shapes.Shape | None = None) -> Path:
    """Write a family's tiny model, or one of a shape, as a folder the way diffusers does."""
    place = folder / f"{'random' if shape else 'tiny'}-{family}"
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
    made(family, shape=shape).save_pretrained(place)
    return place
