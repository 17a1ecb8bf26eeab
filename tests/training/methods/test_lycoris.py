"""The LyCORIS methods: how they attach and detach, their file sizes, and what they refuse."""

from __future__ import annotations

from math import prod

import pytest
import torch
from lycoris.functional.general import factorization
from safetensors.torch import save
from torch import nn

from storage.errors import JobError
from storage.records import Concept, Dial
from training import methods
from training.methods._lycoris import factorize
from training.run import defaults

KEY = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"
KINDS = ("loha", "lokr", "dora", "oft")


@pytest.fixture
def networks(bases):
    """Return the embedded base's networks."""
    with bases.borrow("embedded") as family:
        yield family.networks


@pytest.fixture(params=KINDS)
def kind(request):
    """Return each of these methods."""
    return methods.walk()[request.param]


def test_it_starts_as_no_change_and_goes_without_a_trace(networks, make_recipe, kind):
    """Layers are unchanged before the first step and after detaching."""
    layer = networks.parts[0].layers()[KEY]
    given = torch.randn(2, layer.weight.shape[1], generator=torch.Generator().manual_seed(1))
    state, before = torch.get_rng_state(), layer(given)

    attached = kind.attach(networks, make_recipe())
    begun = layer(given)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in attached.parameters.values():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    changed = layer(given)
    with attached.disabled():
        aside = layer(given)
    attached.detach()

    assert torch.equal(state, torch.get_rng_state())
    assert torch.allclose(begun, before, atol=1e-5)
    assert not torch.allclose(changed, before, atol=1e-3)
    assert torch.equal(aside, before)
    assert torch.equal(layer(given), before)
    assert "forward" not in layer.__dict__
    assert networks.attached is None


def test_the_seed_decides(networks, make_recipe, kind):
    """The seed determines the initial tensors, but not their names."""
    begun = []
    for seed in (1, 1, 2):
        attached = kind.attach(networks, make_recipe(seed=seed))
        begun.append(attached.weights())
        attached.detach()

    assert all(torch.equal(begun[0][key], begun[1][key]) for key in begun[0])
    assert begun[0].keys() == begun[2].keys()


@pytest.mark.parametrize("concept", list(Concept))
def test_a_file_is_as_large_as_expected(bases, networks, make_recipe, kind, concept):
    """The pre-flight card's bytes are within a tenth of the file's."""
    rules = defaults.rules(kind.ALGORITHM.name, bases.find("embedded"))
    rule = next(r for r in rules if (r.concept, r.dial) == (concept, Dial.BALANCED))

    attached = kind.attach(
        networks, make_recipe(rank=rule.rank, train_text_encoder=concept is Concept.LOOK)
    )
    content = save({key: tensor.half() for key, tensor in attached.weights().items()})
    attached.detach()

    assert len(content) == pytest.approx(rule.file_bytes, rel=0.1)


@pytest.mark.parametrize("rank", [1, 6, 16, 64])
@pytest.mark.parametrize(
    "layer", [nn.Linear(96, 320), nn.Linear(320, 72), nn.Conv2d(64, 128, 3), nn.Conv2d(96, 96, 1)]
)
def test_a_module_is_as_large_as_counted(kind, layer, rank):
    """The counted size of a module is its true one, at any rank."""
    out, inner, *window = layer.weight.shape

    tensors = kind.ALGORITHM.make_module("a", layer, rank).state_dict().values()

    counted = kind.ALGORITHM.count_parameters(out, inner, prod(window), rank)
    assert counted == (sum(tensor.numel() for tensor in tensors), len(tensors))


@pytest.mark.parametrize("near", [1, 4, 6, 8, 16, 64])
def test_factors(near):
    """Dimensions are factorized as by LyCORIS."""
    for dimension in range(1, 1500):
        assert factorize(dimension, near) == factorization(dimension, near)


def damaged_files(tensors):
    """Return files with one error each."""
    key = next(name for name in tensors if not name.endswith("alpha"))
    layer = key.partition(".")[0]
    return {
        "empty": {},
        "unknown key": tensors | {"lora_unet_zork.alpha": torch.tensor(1.0)},
        "wrong tensor": tensors | {key: torch.zeros(3_000_000)},
        "wrong tensors of": tensors | {key: tensors[key].flatten()[:7]},
        "not a number": tensors | {key: torch.full_like(tensors[key], float("nan"))},
        "half of it": {f"{layer}.alpha": torch.tensor(1.0)},
    }


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("empty", "empty"),
        ("unknown key", "this base has no layer"),
        ("wrong tensor", "doesn't fit its layer"),
        ("wrong tensors of", "don't fit together"),
        ("not a number", "infinite numbers or NaN"),
        ("half of it", "don't fit together"),
    ],
)
def test_what_is_amiss_is_refused(networks, make_recipe, kind, how, reason):
    """A file that does not fit is refused with its key before use."""
    attached = kind.attach(networks, make_recipe())
    with torch.no_grad():
        for parameter in attached.parameters.values():
            parameter.add_(0.01)
    tensors = {name: tensor.clone() for name, tensor in attached.weights().items()}
    attached.detach()
    kind.check(networks, tensors)

    with pytest.raises(JobError) as refused:
        kind.check(networks, damaged_files(tensors)[how])

    assert refused.value.code == "style_broken"
    assert reason in str(refused.value.facts["reason"])
