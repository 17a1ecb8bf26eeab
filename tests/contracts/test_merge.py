"""LyCORIS' own merge agrees with the deltas that we compute from a file."""

from __future__ import annotations

import pytest
import torch
from lycoris.utils import merge
from safetensors.torch import load_file
from torch import nn

from training import methods
from training.methods import _lycoris

pytestmark = pytest.mark.slow(10)


class OldTextEncoder(nn.Module):
    """A text encoder under the attribute name it had before transformers 5.6."""

    def __init__(self, text: nn.Module) -> None:
        super().__init__()
        self.text_model = text


@pytest.mark.parametrize("method", ["lora", "locon", "loha", "lokr", "oft"])
def test_lycoris(bases, train_method, method):
    """LyCORIS' own merge adds the delta that we compute, on every layer."""
    content = load_file(train_method(method).file)
    with bases.borrow("tiny-sd1") as family:
        layers = {k: layer for part in family.networks.parts for k, layer in part.layers().items()}
        before = {key: layer.weight.clone() for key, layer in layers.items()}
        unet, text = (part.module for part in family.networks.parts)
        try:
            merge([OldTextEncoder(text)], unet, dict(content))
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


def test_one_after_another(bases, make_recipe):
    """A method leaves no state behind: a LoHa after a LoKr starts as in a fresh process."""
    kinds = methods.walk()
    weights_at_start = []
    with bases.borrow("tiny-sd1") as family:
        for before in ("loha", "lokr"):
            for name in (before, "loha"):
                attached = kinds[name].attach(family.networks, make_recipe(name, "tiny-sd1"))
                weights = attached.weights()
                attached.detach()
            weights_at_start.append(weights)

    assert weights_at_start[0].keys() == weights_at_start[1].keys()
    assert all(
        torch.equal(weights_at_start[0][key], weights_at_start[1][key])
        for key in weights_at_start[0]
    )
