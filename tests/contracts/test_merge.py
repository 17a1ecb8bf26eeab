"""LyCORIS' own merge agrees with what we say that a file adds to a base."""

from __future__ import annotations

import pytest
import torch
from lycoris.utils import merge
from safetensors.torch import load_file
from torch import nn

from training import methods
from training.methods import _lycoris

pytestmark = pytest.mark.slow(10)


class Named(nn.Module):
    """A text encoder under the name that it had before transformers 5.6."""

    def __init__(self, text: nn.Module) -> None:
        super().__init__()
        self.text_model = text


@pytest.mark.parametrize("method", ["lora", "locon", "loha", "lokr", "oft"])
def test_lycoris(bases, lesson, method):
    """LyCORIS' own merge adds the very delta that we say the file describes, on every layer."""
    content = load_file(lesson(method).file)
    with bases.borrow("tiny-sd1") as family:
        layers = {k: layer for part in family.networks.parts for k, layer in part.layers().items()}
        before = {key: layer.weight.clone() for key, layer in layers.items()}
        unet, text = (part.module for part in family.networks.parts)
        try:
            merge([Named(text)], unet, dict(content))
            for key, parts in _lycoris.group_by_layer(content).items():
                weight = before[key]
                added = layers[key].weight - weight
                assert torch.allclose(added, delta(method, parts, weight), atol=2e-6), key
        finally:
            for key, weight in before.items():
                layers[key].weight.data = weight


def delta(method: str, parts: dict[str, torch.Tensor], weight: torch.Tensor) -> torch.Tensor:
    """Return what a file adds to a layer's weight."""
    if method in {"lora", "locon"}:
        down, up = (parts[f"lora_{way}.weight"].float() for way in ("down", "up"))
        return (up.flatten(1) @ down.flatten(1)).view_as(weight)
    own: _lycoris.Algorithm = methods.walk()[method].ALGORITHM
    return own.compute_delta("", parts, weight)


def test_one_after_another(bases, asked):
    """Kinds leave nothing behind: a LoHa after a LoKr begins as in a fresh process."""
    kinds = methods.walk()
    begun = []
    with bases.borrow("tiny-sd1") as family:
        for before in ("loha", "lokr"):
            for name in (before, "loha"):
                attached = kinds[name].attach(family.networks, asked(name, "tiny-sd1"))
                weights = attached.weights()
                attached.detach()
            begun.append(weights)

    assert begun[0].keys() == begun[1].keys()
    assert all(torch.equal(begun[0][key], begun[1][key]) for key in begun[0])
