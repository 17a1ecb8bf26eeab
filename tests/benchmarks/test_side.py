"""Small and large pictures are compared at the same latents."""

from __future__ import annotations

import pytest
import torch

from benchmarks.side import Candidate, psnr, taught


@pytest.mark.parametrize("side", [64, 128])
def test_latents_are_alike(side):
    """Twice the side gives the same 4 x 16 x 16 numbers, and comes back whole."""
    network = Candidate(side, 16).built()

    with torch.no_grad():
        latents = network.encode(torch.zeros(1, 3, side, side)).latent_dist.mode()
        back = network.decode(latents).sample

    assert latents.shape == (1, 4, 16, 16)
    assert back.shape == (1, 3, side, side)


def test_it_learns():
    """A few steps bring pictures nearer to what they were."""
    rgba = torch.full((4, 4, 64, 64), 200, dtype=torch.uint8)
    white = torch.ones(1, 3, 64, 64)

    with torch.no_grad():
        torch.manual_seed(0)
        before = psnr(white, Candidate(64, 0).built()(white).sample)
    network, seconds = taught(Candidate(64, 160), rgba)
    with torch.no_grad():
        after = psnr(white, network(white).sample)

    assert after > before + 3
    assert seconds > 0


def test_psnr():
    """A tenth of the range is 20 dB."""
    assert psnr(torch.zeros(2, 3, 4, 4), torch.full((2, 3, 4, 4), 0.2)) == pytest.approx(20)
