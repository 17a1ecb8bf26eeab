"""What all Stable Diffusions share: loss and sampling, on the embedded base."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch
from diffusers.models.attention_processor import Attention
from safetensors.torch import save_file

from tests.fakes.gpu import GraphDevice
from training import families
from training.families import Picture, walk
from training.modelfiles import configs, singlefile

if TYPE_CHECKING:
    from pathlib import Path

    from training.bases.cache import BaseCache


def test_loss(bases: BaseCache) -> None:
    """The generator alone determines the loss."""
    latents, told = torch.ones(2, 8, 16, 16), {"states": torch.ones(2, 77, 192)}
    with bases.borrow("embedded") as family, torch.no_grad():
        losses = [
            float(
                family.loss(latents, told, torch.Generator().manual_seed(seed), min_snr_gamma=5.0)
            )
            for seed in (1, 1, 2)
        ]

    assert losses[0] == losses[1] != losses[2]


def test_draw(bases: BaseCache) -> None:
    """The seed determines a picture, and the base keeps its scheduler."""
    with bases.borrow("embedded") as family:
        scheduler = family.pipeline.scheduler  # type: ignore[attr-defined]
        drawn = [
            family.sample_image(Picture("a cat", "", seed, 2, 64, 32)).tobytes()
            for seed in (1, 1, 2)
        ]

        assert family.pipeline.scheduler is scheduler  # type: ignore[attr-defined]
    assert drawn[0] == drawn[1] != drawn[2]


def test_checkpointing(bases: BaseCache) -> None:
    """Gradient checkpointing changes no gradient."""
    grads = []
    with bases.borrow("embedded") as family:
        for enabled in (False, True):
            family.set_gradient_checkpointing(enabled=enabled)
            states = torch.ones(1, 77, 192, requires_grad=True)
            generator = torch.Generator().manual_seed(1)
            loss = family.loss(
                torch.ones(1, 8, 16, 16), {"states": states}, generator, min_snr_gamma=5.0
            )
            loss.backward()  # type: ignore[no-untyped-call]
            grads.append(states.grad)
        family.set_gradient_checkpointing(enabled=False)

    assert grads[0] is not None
    assert grads[1] is not None
    assert torch.allclose(grads[0], grads[1], atol=1e-7)


def test_attention_as_diffusers_has_it(bases: BaseCache) -> None:
    """A processor that is called at once computes what diffusers' attention computes."""
    with bases.borrow("embedded") as family, torch.no_grad():
        unet = family.unet  # type: ignore[attr-defined]
        given = torch.ones(1, 8, 16, 16), 7, torch.ones(1, 77, 192)
        ours = unet(*given).sample
        held = [(each, vars(each).pop("forward")) for each in unet.modules() if is_attention(each)]
        theirs = unet(*given).sample
        for attention, forward in held:
            attention.forward = forward

    assert len(held) > 1
    assert torch.equal(ours, theirs)


def test_a_loss_searches_no_network(bases: BaseCache) -> None:
    """A loss neither walks through modules nor inspects signatures: both take milliseconds."""
    called = set()
    with bases.borrow("embedded") as family, torch.no_grad():
        drawn = family.draw_inputs(  # type: ignore[attr-defined]
            torch.ones(1, 8, 16, 16), torch.Generator(), min_snr_gamma=5.0
        )
        sys.setprofile(lambda frame, *_: called.add(frame.f_code.co_qualname))
        try:
            family.compute_loss({**drawn, "states": torch.ones(1, 77, 192)})  # type: ignore[attr-defined]
        finally:
            sys.setprofile(None)

    assert "UNet2DConditionModel.forward" in called
    assert not called & {"signature", "ModelMixin.dtype", "get_parameter_dtype"}


def is_attention(module: torch.nn.Module) -> bool:
    """Return whether a module is diffusers' attention."""
    return isinstance(module, Attention)


def test_skip(bases: BaseCache) -> None:
    """A clip skip of 2 equals a text encoder without its last layer."""
    base = bases.find("embedded")
    load = walk()[base.family].load
    plain, skipping = (
        load(bases.locate("embedded"), bases.device, replace(base, clip_skip=skip))
        for skip in (1, 2)
    )
    tokens = plain.tokenize("a red fox")[0][None]
    with torch.no_grad():
        whole, read = (family.embed_prompts(tokens)["states"] for family in (plain, skipping))
        del plain.text_encoders[0].encoder.layers[-1]  # type: ignore[attr-defined]
        shorter = plain.embed_prompts(tokens)["states"]

    assert not torch.equal(whole, read)
    assert torch.equal(shorter, read)


@pytest.mark.parametrize(("name", "last"), [("sd1", True), ("sd2", True), ("sdxl", False)])
def test_strides_on_a_gpu(tiny_bases: BaseCache, name: str, last: bool) -> None:
    """Where most of the work is convolutions, a GPU finds the channels of a place together."""
    base, place = tiny_bases.find(f"tiny-{name}"), tiny_bases.locate(f"tiny-{name}")
    strides = []
    for device in (tiny_bases.device, GraphDevice(tiny_bases.device)):
        unet = walk()[name].load(place, device, base).unet  # type: ignore[attr-defined]
        strides.append(unet.down_blocks[0].resnets[0].conv1.weight.stride())

    places = 9  # of a kernel
    assert strides[0][1] == places
    assert strides[1][1] == (1 if last else places)


@pytest.mark.parametrize("name", ["sd1", "sd2", "sdxl"])
def test_single_file(tiny_bases: BaseCache, tmp_path: Path, name: str) -> None:
    """A base written as a single file and read again has equal weights."""
    place = tmp_path / "whole.safetensors"
    with tiny_bases.borrow(f"tiny-{name}") as family:
        content = family.networks.model.to_single_file({})
        told = {"modelspec.prediction_type": "v" if family.prediction[0] == "v" else "epsilon"}
        save_file({key: tensor.contiguous() for key, tensor in content.items()}, place, told)
        before = family.pipeline  # type: ignore[attr-defined]

        after = singlefile.load_pipeline(
            place, torch.float32, configs.shrink_shape(families.walk()[name].SHAPE)
        )

        assert after.scheduler.config.prediction_type == family.prediction
        assert after.scheduler.config.rescale_betas_zero_snr is family.zero_terminal_snr  # type: ignore[attr-defined]
    for part in ("unet", "vae", "text_encoder", "text_encoder_2")[: 4 if name == "sdxl" else 3]:
        ours, theirs = (getattr(one, part).state_dict() for one in (after, before))
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours), part
