"""A hypernetwork: where it acts, how it starts, and which files it refuses."""

from __future__ import annotations

import io
import pickletools
import zipfile

import pytest
import torch

from storage.errors import JobError
from storage.records import Dial
from training.methods import hypernetwork
from training.run import defaults

FIRST = "hypernetwork.192.k.linear.0.weight"


@pytest.fixture
def networks(bases):
    """Return the embedded base's networks."""
    with bases.borrow("embedded") as family:
        yield family.networks


def layer(networks, name):
    """Return one layer of the UNet."""
    return networks.parts[0].module.get_submodule(name)


PLACE = "mid_block.attentions.0.transformer_blocks.0"


def test_it_changes_what_cross_attention_reads_and_nothing_else(networks, make_recipe):
    """It starts without effect and then changes keys and values of cross-attention only."""
    given = torch.randn(1, 3, 192, generator=torch.Generator().manual_seed(1))
    names = [f"{PLACE}.{end}" for end in ("attn2.to_k", "attn2.to_v", "attn1.to_k")]
    before = [layer(networks, name)(given) for name in names]

    attached = hypernetwork.attach(networks, make_recipe("hypernetwork"))
    begun = [layer(networks, name)(given) for name in names]
    with torch.no_grad():
        for name, parameter in attached.parameters.items():
            if name.endswith("2.weight"):
                parameter.fill_(0.1)
    changed = [layer(networks, name)(given) for name in names]
    with attached.disabled():
        aside = [layer(networks, name)(given) for name in names]
    attached.detach()
    after = [layer(networks, name)(given) for name in names]

    for these in (begun, aside, after):
        assert all(torch.equal(a, b) for a, b in zip(before, these, strict=True))
    assert [torch.equal(a, b) for a, b in zip(before, changed, strict=True)] == [0, 0, 1]


def test_the_seed_decides(networks, make_recipe):
    """The seed determines the initial weights."""
    begun = []
    for seed in (1, 1, 2):
        attached = hypernetwork.attach(networks, make_recipe("hypernetwork", seed=seed))
        begun.append(attached.weights()[FIRST])
        attached.detach()

    assert torch.equal(begun[0], begun[1])
    assert not torch.equal(begun[0], begun[2])


def test_the_rank_is_the_width_between(bases, networks, make_recipe):
    """Its files are recognised by their tensors, applied, and exported."""
    rules = list(defaults.rules("hypernetwork", bases.find("embedded")))
    for wide in (1, 2, 8):
        attached = hypernetwork.attach(networks, make_recipe("hypernetwork", rank=wide))
        tensors = attached.weights()
        attached.detach()

        assert tensors[FIRST].shape == (wide * 192, 192)
        assert hypernetwork.width_factor(tensors) == wide
        hypernetwork.check(networks, tensors)
        assert f"({wide})" in structure(
            hypernetwork.export(tensors, {"ss_steps": "none"}, "x")["x.pt"]
        )
    assert {rule.rank for rule in rules} == {hypernetwork.DEFAULT_WIDTH_FACTOR}


def structure(content):
    """Return the numbers pickled after `layer_structure`, without unpickling."""
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        [name] = [name for name in opened.namelist() if name.endswith("data.pkl")]
        told = [(op.name, arg) for op, arg, _ in pickletools.genops(opened.read(name))]
    start = told.index(("BINUNICODE", "layer_structure"))
    return " ".join(f"({arg})" for name, arg in told[start : start + 12] if name == "BININT1")


def test_a_file_is_as_large_as_expected(bases, networks, make_recipe):
    """The pre-flight card's bytes are within a tenth of the file's."""
    rules = defaults.rules("hypernetwork", bases.find("embedded"))
    rule = next(rule for rule in rules if rule.dial is Dial.BALANCED)

    attached = hypernetwork.attach(networks, make_recipe("hypernetwork"))
    numbers = sum(tensor.numel() for tensor in attached.weights().values())
    attached.detach()

    assert rule.file_bytes == pytest.approx(2 * numbers, rel=0.1)


@pytest.mark.parametrize(
    "change",
    [
        {FIRST: None},
        {FIRST: torch.zeros(2, 2)},
        {FIRST: torch.full((384, 192), float("inf"))},
        {"hypernetwork.768.k.linear.0.bias": torch.zeros(1536)},
    ],
)
def test_what_is_amiss_is_refused(networks, make_recipe, change):
    """A missing or surplus tensor, another shape or a NaN is refused."""
    attached = hypernetwork.attach(networks, make_recipe("hypernetwork"))
    tensors = attached.weights()
    attached.detach()
    hypernetwork.check(networks, tensors)

    spoilt = {name: tensor for name, tensor in (tensors | change).items() if tensor is not None}
    with pytest.raises(JobError, match="style_broken"):
        hypernetwork.check(networks, spoilt)
