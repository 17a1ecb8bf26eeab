"""A random model that is drawn on the device is one of its family."""

from __future__ import annotations

import torch
from safetensors import safe_open

from benchmarks.models import write_random_model
from training.bases.cache import BaseCache
from training.device import Device


def test_a_drawn_model_is_loaded_as_its_family(tmp_path):
    """Its files are in half precision, and its denoiser's loss is a number near one."""
    place = write_random_model(tmp_path, "sdxl", torch.device("cpu"), large=False)

    with BaseCache(tmp_path, Device.open(cpu=True)).borrow(place.name) as family:
        tokens = family.tokenize("a hill")[0][None]
        conditions = {**family.embed_prompts(tokens), "sizes": torch.zeros(1, 6)}
        latents, draws = torch.randn(1, 4, 8, 8), torch.Generator().manual_seed(0)
        loss = family.loss(latents, conditions, draws, min_snr_gamma=0.0)

    assert 0.1 < loss.item() < 10
    for file in place.rglob("*.safetensors"):
        with safe_open(file, "pt") as content:
            assert {content.get_slice(key).get_dtype() for key in content.keys()} == {"F16"}  # noqa: SIM118
