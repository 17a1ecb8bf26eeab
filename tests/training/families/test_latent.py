"""What families share: encoding pictures to latents, decoding them, and memory for both."""

from __future__ import annotations

import pytest
import torch
from PIL import Image

from tests.fakes.gpu import FakeGpu
from training import families
from training.networks.memory import MIB

pytestmark = pytest.mark.slow(2)


class Moves:
    """A network that records where it is moved."""

    device = torch.device("cpu")

    def __init__(self, name, moves):
        self.name, self.moves = name, moves

    def to(self, device):
        """Record the move; every device is the CPU here."""
        assert device == self.device
        self.moves.append(self.name)


@pytest.mark.parametrize("name", families.names())
def test_latents_are_scaled(tiny_bases, name):
    """Latents are shifted and scaled as in diffusers' pipelines."""
    picture = Image.new("RGB", (64, 32), (250, 90, 10))
    pixels = torch.tensor([250.0, 90, 10]).view(1, 3, 1, 1).expand(1, 3, 32, 64) / 127.5 - 1
    with tiny_bases.borrow(f"tiny-{name}") as family, torch.no_grad():
        config = family.vae.config
        seen = family.vae.encode(pixels).latent_dist.mode()
        latents = family.encode([picture])

    wanted = (seen - (config.shift_factor or 0)) * config.scaling_factor
    assert latents.shape == (1, config.latent_channels, 4, 8)
    assert torch.allclose(latents, wanted, atol=1e-3)
    assert family.size_multiple == 16


@pytest.mark.parametrize("name", families.names())
def test_networks_are_named(tiny_bases, name):
    """Every part that methods change is in the pipeline under its name."""
    with tiny_bases.borrow(f"tiny-{name}") as family:
        parts = [getattr(family.pipeline, each) for each in family.pipeline_names]

        assert [part.module for part in family.networks.parts] == parts
        assert set(family.full_precision_networks()) == {
            part.role for part in family.networks.parts
        } | {"vae"}


@pytest.mark.parametrize(
    ("mib", "modified", "moved"),
    [
        (2000, False, []),
        (500, False, ["denoiser", "text"]),
        (500, True, ["text"]),  # what was rounded stays where it is
        (0, False, []),  # a bare processor has no memory of its own
    ],
)
def test_roomy(tiny_bases, mib, modified, moved):
    """If memory is short for the autoencoder, the other networks leave the device meanwhile."""
    moves = []
    with tiny_bases.borrow("tiny-sd1") as family:
        kept = family.denoiser, family.text_encoders, family.vae, family.device
        family.denoiser, family.vae = Moves("denoiser", moves), Moves("vae", moves)
        family.text_encoders, family.device = [Moves("text", moves)], FakeGpu(family.device, mib)
        family.modified = modified
        try:
            with family.with_free_memory("vae", 1000 * MIB):
                inside, emptied = sorted(moves), family.device.emptied
        finally:
            family.denoiser, family.text_encoders, family.vae, family.device = kept
            family.modified = False

    assert inside == moved
    assert sorted(moves) == sorted(moved * 2)
    assert emptied == bool(moved)
