"""Stable Diffusion 2.x: v-prediction, zero terminal SNR, and how a base's prediction is known."""

from __future__ import annotations

import pytest
import torch

from training.families import Picture, sd2


def test_zero_terminal(tiny_bases):
    """If the scheduler asks for it, the training schedule ends in pure noise."""
    with tiny_bases.borrow("tiny-sd2") as family:
        assert family.zero_terminal_snr
        assert float(family.alphas_cumprod[-1]) == 0
        assert float(family.alphas_cumprod[0]) == pytest.approx(0.99915)
        told = {"states": torch.zeros(8, 77, 32)}
        loss = family.loss(
            torch.ones(8, 4, 8, 8), told, torch.Generator().manual_seed(1), min_snr_gamma=5.0
        )

    assert torch.isfinite(loss)


def test_trailing(tiny_bases):
    """Sampling starts at the very last timestep."""
    with tiny_bases.borrow("tiny-sd2") as family:
        steps = family.make_scheduler()
        steps.set_timesteps(4)
        painted = family.render_array(Picture("a cat", "", 1, 4, 64, 64))

    assert steps.timesteps.tolist() == [999, 749, 499, 249]
    assert (painted >= 0).all()
    assert painted.std() > 0


@pytest.mark.parametrize(
    ("prediction", "architecture", "version"),
    [
        ("", "stable-diffusion-v2-768-v", "sd_v2_v"),
        ("v_prediction", "stable-diffusion-v2-768-v", "sd_v2_v"),
        ("epsilon", "stable-diffusion-v2-512", "sd_v2"),
    ],
)
def test_what_is_said_of_a_base_counts(tiny_bases, prediction, architecture, version):
    """The prediction in a list entry overrides that of the base's files."""
    from dataclasses import replace  # noqa: PLC0415

    base = replace(tiny_bases.find("tiny-sd2"), prediction=prediction)

    family = sd2.load(tiny_bases.folder / "tiny-sd2", tiny_bases.device, base)

    assert (family.architecture, family.version) == (architecture, version)
    assert family.zero_terminal_snr is (prediction != "epsilon")
