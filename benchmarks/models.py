"""Models of true size with random numbers, drawn on the device: a CPU needs minutes for SDXL's."""

from __future__ import annotations

from math import prod
from pathlib import Path

import diffusers
import torch
import transformers
from accelerate import init_empty_weights
from torch import nn

from training.families import walk


def write_random_model(
    folder: Path, family: str, device: torch.device, *, large: bool = True
) -> Path:
    """Write a random model in half precision as a diffusers folder and return it."""
    place = folder / f"{'random' if large else 'tiny'}-{family}"
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
    with init_empty_weights(include_buffers=False):
        pipeline = walk()[family].make_random_pipeline(large=large)
    generator = torch.Generator(device).manual_seed(0)
    for network in pipeline.components.values():
        if isinstance(network, nn.Module):
            fill(network, generator)
    pipeline.save_pretrained(place)
    return place


def fill(network: nn.Module, generator: torch.Generator) -> None:
    """Draw the numbers of a network that has none yet, so that signals keep about their size."""
    for module in network.modules():
        for name, empty in module.named_parameters(recurse=False):
            if empty.ndim > 1:
                drawn = torch.randn(empty.shape, generator=generator, device=generator.device)
                numbers = drawn / prod(empty.shape[1:]) ** 0.5
            else:
                numbers = torch.full(empty.shape, float(name == "weight"))
            setattr(module, name, nn.Parameter(numbers.half().cpu(), requires_grad=False))
