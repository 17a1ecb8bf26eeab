"""What families share: pictures become latents as their autoencoders want them, and back."""

from __future__ import annotations

import pytest
import torch
from PIL import Image

from training import families


@pytest.mark.parametrize("name", families.names())
def test_latents_are_scaled(tinies, name):
    """Latents are the autoencoder's, less its shift, times its factor, as pipelines have them."""
    picture = Image.new("RGB", (64, 32), (250, 90, 10))
    pixels = torch.tensor([250.0, 90, 10]).view(1, 3, 1, 1).expand(1, 3, 32, 64) / 127.5 - 1
    with tinies.family(f"tiny-{name}") as family, torch.no_grad():
        config = family.vae.config
        seen = family.vae.encode(pixels).latent_dist.mode()
        latents = family.encode([picture])

    wanted = (seen - (config.shift_factor or 0)) * config.scaling_factor
    assert latents.shape == (1, config.latent_channels, 4, 8)
    assert torch.allclose(latents, wanted, atol=1e-3)
    assert family.grain == 16


@pytest.mark.parametrize("name", families.names())
def test_networks_are_named(tinies, name):
    """What methods may change is in the pipeline by the names that are told of it."""
    with tinies.family(f"tiny-{name}") as family:
        parts = [getattr(family.pipeline, each) for each in family.names]

        assert [part.module for part in family.networks.parts] == parts
        assert set(family.exact()) == {part.role for part in family.networks.parts} | {"vae"}
