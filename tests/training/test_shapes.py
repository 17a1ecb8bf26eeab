"""The shipped configurations are those of the true models, and the tiny ones have their names."""

from __future__ import annotations

import pytest

from training import ldm, shapes


@pytest.mark.parametrize(
    ("shape", "counts"),
    [
        (shapes.SD15, [859_520_964, 83_653_863, 123_060_480]),
        (shapes.SD2, [865_910_724, 83_653_863, 340_387_840]),
        (shapes.SDXL, [2_567_463_684, 83_653_863, 123_060_480, 694_659_840]),
    ],
)
def test_true_shapes(shape, counts):
    """They have the true models' numbers of weights."""
    networks = ldm.empty(shape).values()

    assert [sum(p.numel() for p in network.parameters()) for network in networks] == counts


@pytest.mark.parametrize("shape", [shapes.SD15, shapes.SD2, shapes.SDXL])
def test_tiny_shapes(shape):
    """A tiny model's names are among its true one's, and its blocks are of the same kinds."""
    for name, small in ldm.empty(shapes.tiny(shape)).items():
        true = ldm.empty(shape)[name]

        assert small.state_dict().keys() < true.state_dict().keys()
        assert sum(p.numel() for p in small.parameters()) < 4_000_000
