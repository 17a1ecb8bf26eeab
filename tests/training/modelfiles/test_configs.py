"""Shipped configurations equal those of the true models; tiny ones have the same names."""

from __future__ import annotations

import pytest
from accelerate import init_empty_weights
from diffusers import AutoencoderKL, ZImageTransformer2DModel
from transformers import Qwen3Config, Qwen3Model

from training.modelfiles import configs, singlefile

pytestmark = pytest.mark.slow(2)


@pytest.mark.parametrize(
    ("shape", "counts"),
    [
        (configs.SD15, [859_520_964, 83_653_863, 123_060_480]),
        (configs.SD2, [865_910_724, 83_653_863, 340_387_840]),
        (configs.SDXL, [2_567_463_684, 83_653_863, 123_060_480, 694_659_840]),
    ],
)
def test_true_shapes(shape, counts):
    """They have the true models' numbers of parameters."""
    networks = singlefile.make_empty_networks(shape).values()

    assert [sum(p.numel() for p in network.parameters()) for network in networks] == counts


@pytest.mark.parametrize("shape", [configs.SD15, configs.SD2, configs.SDXL])
def test_tiny_shapes(shape):
    """A tiny model's parameter names are among the true one's, with blocks of the same kinds."""
    for name, small in singlefile.make_empty_networks(configs.shrink_shape(shape)).items():
        true = singlefile.make_empty_networks(shape)[name]

        assert small.state_dict().keys() < true.state_dict().keys()
        assert sum(p.numel() for p in small.parameters()) < 4_000_000


def flow(shape):
    """Return the networks of a Z-Image without weights."""
    with init_empty_weights():
        return (
            ZImageTransformer2DModel(**shape.transformer),
            AutoencoderKL(**shape.vae),
            Qwen3Model(Qwen3Config(**shape.text)),
        )


def test_true_flow():
    """Z-Image has the true model's parameter count, and a tiny one names of the same kinds."""
    true, small = flow(configs.ZIMAGE), flow(configs.TINY_ZIMAGE)

    assert [sum(p.numel() for p in network.parameters()) for network in true] == [
        6_154_908_736, 83_819_683, 4_022_468_096,
    ]  # fmt: skip
    for few, many in zip(small, true, strict=True):
        assert few.state_dict().keys() < many.state_dict().keys()
