"""Training whole networks: what is computed and written, and how the base is restored."""

from __future__ import annotations

import pytest
import torch

from storage.errors import JobError
from training.bases.cache import BaseCache
from training.device import HostMemory
from training.families import Picture, walk
from training.methods import _full
from training.networks.counts import file_sizes

NAME = "unet.conv_in.weight"
KEY = "model.diffusion_model.input_blocks.0.0.weight"
PICTURE = Picture("a cat emoji", "", 5, 2, 64, 64)


@pytest.fixture
def family(bases):
    """Return the embedded base."""
    with bases.borrow("embedded") as family:
        yield family


def attach_and_change(family, make_recipe, *, text=False):
    """Return a base with a method attached and one weight changed."""
    attached = _full.FullNetworks(
        family.networks, make_recipe("finetune", train_text_encoder=text)
    )
    attached.parameters[NAME].data += 0.05
    return attached


@pytest.mark.parametrize("text", [False, True])
def test_every_weight_is_trained(family, make_recipe, text):
    """All of the UNet is trained, the text encoder if wanted, the autoencoder never."""
    networks = [family.unet, family.text_encoders[0]] if text else [family.unet]
    attached = attach_and_change(family, make_recipe, text=text)
    try:
        trained = {id(p) for p in attached.parameters.values()}
        assert trained == {id(p) for network in networks for p in network.parameters()}
        assert all(p.requires_grad for p in attached.parameters.values())
    finally:
        attached.detach()


def test_the_base_is_put_back(family, make_recipe):
    """The base's own parameters are back while the method is disabled and after it is detached."""
    before = list(family.unet.parameters())
    drawn = [family.sample_image(PICTURE).tobytes()]

    attached = attach_and_change(family, make_recipe)
    drawn.append(family.sample_image(PICTURE).tobytes())
    with attached.disabled():
        drawn.append(family.sample_image(PICTURE).tobytes())
    drawn.append(family.sample_image(PICTURE).tobytes())
    attached.detach()
    drawn.append(family.sample_image(PICTURE).tobytes())

    assert not any(trained.numel() for trained in attached.parameters.values())
    assert drawn[0] == drawn[2] == drawn[4] != drawn[1] == drawn[3]
    assert all(a is b for a, b in zip(before, family.unet.parameters(), strict=True))
    assert not any(parameter.requires_grad for parameter in before)


def test_aside_is_on_the_device(family, make_recipe):
    """While disabled, the base's parameters are on the run's device (`meta` stands for it)."""
    attached = attach_and_change(family, make_recipe)
    attached.devices = dict.fromkeys(attached.slots, torch.device("meta"))
    with family.networks.without_adapter():
        inside = {parameter.device.type for parameter in family.unet.parameters()}
    outside = {parameter.device.type for parameter in family.unet.parameters()}

    assert (inside, outside) == ({"meta"}, {"cpu"})
    attached.devices = dict.fromkeys(attached.slots, torch.device("cpu"))
    attached.detach()


@pytest.mark.slow(4)
@pytest.mark.parametrize("name", ["sd1", "sdxl"])
def test_what_is_not_trained_is_not_rounded(tiny_bases, make_recipe, name):
    """If networks compute in bf16, training still starts at the base's exact weights."""

    class Narrow(HostMemory):
        precision = "bf16"

    with BaseCache(tiny_bases.folder, Narrow()).borrow(f"tiny-{name}") as family:
        attached = _full.FullNetworks(
            family.networks, make_recipe("finetune", train_text_encoder=False)
        )
        tensors = attached.weights()
        attached.detach()
        assert family.unet.dtype is torch.bfloat16
    with tiny_bases.borrow(f"tiny-{name}") as family:
        true = family.networks.model.to_single_file({})

    assert tensors.keys() == true.keys()
    assert all(torch.equal(tensors[key], true[key]) for key in true)


def test_strength(family, make_recipe):
    """Full strength gives the trained model, zero the base, and half the mean of both."""
    attached = attach_and_change(family, make_recipe)
    trained = family.sample_image(PICTURE).tobytes()
    tensors = attached.weights()
    attached.detach()
    bare, drawn, weights = family.sample_image(PICTURE).tobytes(), [], []
    for strength in (0.0, 0.5, 1.0):
        with _full.apply(family.networks, tensors, "", strength):
            drawn.append(family.sample_image(PICTURE).tobytes())
            weights.append(family.unet.conv_in.weight.detach())

    assert [drawn[0], drawn[2]] == [bare, trained]
    assert torch.allclose(weights[1], (weights[0] + weights[2]) / 2)
    assert family.sample_image(PICTURE).tobytes() == bare


@pytest.mark.parametrize(
    "change",
    [
        {KEY: None},
        {KEY: torch.zeros(2, 2)},
        {KEY: torch.zeros(96, 4, 3, 3, dtype=torch.int32)},
        {KEY: torch.full((96, 4, 3, 3), float("nan"))},
    ],
)
def test_what_is_amiss_is_refused(family, make_recipe, change):
    """A missing weight, a wrong shape or kind, or a NaN is refused."""
    attached = attach_and_change(family, make_recipe)
    tensors = attached.weights()
    attached.detach()
    _full.check(family.networks, tensors)

    spoilt = {name: tensor for name, tensor in (tensors | change).items() if tensor is not None}
    with pytest.raises(JobError, match="style_broken"):
        _full.check(family.networks, spoilt)


def test_size(bases, family, make_recipe):
    """The pre-flight card's bytes are within a tenth of the file's."""
    attached = attach_and_change(family, make_recipe)
    numbers = sum(tensor.numel() for tensor in attached.weights().values())
    attached.detach()

    assert file_sizes(bases.find("embedded"), walk()["sd1"]).model == pytest.approx(
        2 * numbers, rel=0.1
    )
