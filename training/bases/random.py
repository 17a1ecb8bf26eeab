"""Tiny random models of a few MB in the layout of every family, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from training.families import walk
from training.lazy import diffusers, transformers


def make_random_model(family: str, seed: int = 0) -> Any:
    """Return a tiny pipeline of a family with random weights.

    The weights are fp32, but rounded to fp16, as those of published models are.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        pipeline = walk()[family].make_random_pipeline(large=False)
    for network in pipeline.components.values():
        for parameter in network.parameters() if hasattr(network, "parameters") else ():
            parameter.data = parameter.data.half().float()
    return pipeline


def write_random_model(folder: Path, family: str) -> Path:
    """Write a random model as a diffusers folder and return it."""
    place = folder / f"tiny-{family}"
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
    make_random_model(family).save_pretrained(place)
    return place
