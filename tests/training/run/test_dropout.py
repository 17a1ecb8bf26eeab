"""Dropout follows from the seed and the step, and only acts during training."""

from __future__ import annotations

import pytest
import torch

from storage.errors import JobError
from training import methods
from training.run.dropout import adapter_dropout

MODULES = methods.walk()
TAKING = sorted(name for name, method in MODULES.items() if method.METHOD.dropout)
LAYERS = ("attn2.to_k", "attn1.to_out.0", "ff.net.2")
PLACE = "mid_block.attentions.0.transformer_blocks.0"


@pytest.fixture
def networks(bases):
    """Return the embedded base's networks."""
    with bases.borrow("embedded") as family:
        yield family.networks


def answers(networks):
    """Return the outputs of some layers."""
    unet = networks.parts[0].module
    found = {}
    for name in (*(f"{PLACE}.{end}" for end in LAYERS), "mid_block.resnets.0.conv1"):
        layer = unet.get_submodule(name)
        shape = getattr(layer, "base_layer", layer).weight.shape
        size = (1, 3, shape[1]) if len(shape) == 2 else (1, shape[1], 4, 4)
        given = torch.randn(size, generator=torch.Generator().manual_seed(1))
        found[name] = layer(given).detach()
    return found


@pytest.mark.parametrize("method", TAKING)
def test_a_part_of_what_is_added(networks, make_recipe, method):
    """An adapter's output is dropped or scaled up elementwise, the same each time."""
    asked = make_recipe(method, dropout=0.5, all_layers=True)
    plain = answers(networks)
    attached = MODULES[method].attach(networks, asked)
    with torch.no_grad():
        for parameter in attached.parameters.values():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.manual_seed(3)))
    whole, state = answers(networks), torch.get_rng_state()
    thinned = []
    for step in (1, 1, 2):
        with adapter_dropout(networks, asked, step):
            thinned.append(answers(networks))
    after = answers(networks)
    attached.detach()

    for name, answer in whole.items():
        added = answer - plain[name]
        left = thinned[0][name] - plain[name]
        if method == "hypernetwork":  # changes what is read, so nothing is to be seen by number
            assert torch.equal(left, added) is (name != f"{PLACE}.attn2.to_k")
            continue
        dropped = left.abs() < 1e-5
        assert 0.1 < dropped.float().mean() < 0.9
        assert torch.allclose(left[~dropped], 2 * added[~dropped], atol=1e-4)
    assert all(torch.equal(thinned[0][name], thinned[1][name]) for name in whole)
    assert not all(torch.equal(thinned[0][name], thinned[2][name]) for name in whole)
    assert all(torch.equal(after[name], whole[name]) for name in whole)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("method", "rank"), [("embedding", 2), ("finetune", 0), ("dreambooth", 0)]
)
def test_without_adapters_there_is_none(make_recipe, method, rank):
    """Methods without adapters refuse dropout with a code."""
    with pytest.raises(JobError) as refused:
        methods.find_for_recipe(make_recipe(method, rank=rank, dropout=0.1))

    assert (refused.value.code, refused.value.facts["method"]) == ("dropout_method", method)
