"""Z-Image's transformer as a single file: original names, other parts from another folder."""

from __future__ import annotations

import json

import pytest
import torch
from accelerate import init_empty_weights
from diffusers import ZImageTransformer2DModel
from safetensors.torch import load_file, save_file

from storage.errors import JobError
from training.bases import random
from training.bases.cache import BaseCache
from training.families import zimage
from training.modelfiles import zimage as original

#: some of the names in Z-Image's own file, each of another kind, with their shapes
KNOWN = {
    "x_embedder.weight": (3840, 64),
    "x_pad_token": (1, 3840),
    "cap_embedder.1.weight": (3840, 2560),
    "t_embedder.mlp.2.bias": (256,),
    "noise_refiner.1.attention.qkv.weight": (11520, 3840),
    "context_refiner.0.feed_forward.w2.weight": (3840, 10240),
    "layers.29.attention.out.weight": (3840, 3840),
    "layers.29.attention.k_norm.weight": (128,),
    "layers.0.adaLN_modulation.0.bias": (15360,),
    "final_layer.adaLN_modulation.1.weight": (3840, 256),
    "final_layer.linear.bias": (64,),
}


@pytest.fixture
def single_file(tmp_path):
    """Write a tiny transformer as a single file; return its path and weights."""
    weights = random.make_random_model("zimage").transformer.state_dict()
    place = tmp_path / "mine.safetensors"
    save_file({n: t.contiguous() for n, t in original.to_original(weights).items()}, place)
    return place, weights


def test_true_names():
    """A model of true size has its original file's names, and every weight is read back."""
    with init_empty_weights():
        weights = ZImageTransformer2DModel().state_dict()

    content = original.to_original(weights)
    back = original.to_diffusers(content)

    assert {name: tuple(content[name].shape) for name in KNOWN} == KNOWN
    assert not any(".to_q." in name or ".to_k." in name or ".to_v." in name for name in content)
    assert {n: t.shape for n, t in back.items()} == {n: t.shape for n, t in weights.items()}


@pytest.mark.parametrize("start", ["", original.PREFIX])
def test_recognised(single_file, tmp_path, start):
    """A file is recognised by its names, with and without some programs' prefixes."""
    place, weights = single_file
    other = tmp_path / "other.safetensors"
    save_file({start + n: t.clone() for n, t in original.to_original(weights).items()}, other)

    assert zimage.recognises(place)
    assert zimage.recognises(other)
    assert original.to_diffusers(load_file(other)).keys() == weights.keys()


def test_split(single_file, tmp_path):
    """A file with diffusers' names is recognised and read, too; a UNet's is not."""
    _, weights = single_file
    apart, other = tmp_path / "apart.safetensors", tmp_path / "other.safetensors"
    save_file({name: tensor.clone() for name, tensor in weights.items()}, apart)
    save_file({"model.diffusion_model.input_blocks.0.0.weight": torch.zeros(1)}, other)

    assert zimage.recognises(apart)
    assert original.to_diffusers(load_file(apart)).keys() == weights.keys()
    assert not zimage.recognises(other)


def test_lent(single_file, tiny_bases):
    """Text encoder, tokenizer and autoencoder are those of a complete model in the same folder."""
    place, weights = single_file
    random.write_random_model(place.parent, "zimage")

    with BaseCache(place.parent, tiny_bases.device).borrow("mine") as family:
        found = family.denoiser.state_dict()
        assert family.pipeline.tokenizer("a").input_ids

    assert all(torch.equal(found[name], tensor) for name, tensor in weights.items())


@pytest.fixture
def turbo(tmp_path):
    """Write a tiny Z-Image-Turbo; only its scheduler differs."""
    place = random.write_random_model(tmp_path, "zimage")
    path = place / "scheduler" / "scheduler_config.json"
    told = json.loads(path.read_text())
    path.write_text(json.dumps(told | {"shift": original.TURBO_SHIFT}))
    return place


def test_turbo_is_refused(turbo, tiny_bases):
    """A folder of Z-Image-Turbo is recognised by its scheduler and refused; the base's is not."""
    with (
        pytest.raises(JobError) as refused,
        BaseCache(turbo.parent, tiny_bases.device).borrow("tiny-zimage"),
    ):
        pass

    assert (refused.value.code, refused.value.facts) == ("base_distilled", {"base": "tiny-zimage"})
    with tiny_bases.borrow("tiny-zimage") as family:
        assert family.pipeline.scheduler.config.shift == original.BASE_SHIFT


def test_a_list_lets_turbo_in(turbo, tiny_bases, tmp_path):
    """A Turbo-like model is loaded if an operator's list gives it `prediction = "flow"`."""
    told = tmp_path / "bases.toml"
    told.write_text(
        '[bases.freed]\ntitle = "Freed"\nfamily = "zimage"\nsource = "tiny-zimage"\n'
        'resolution = 1024\ngood = "a"\nprediction = "flow"\n'
    )

    with BaseCache(turbo.parent, tiny_bases.device, told).borrow("freed") as family:
        assert family.pipeline.scheduler.config.shift == original.TURBO_SHIFT


@pytest.mark.usefixtures("single_file")
def test_turbo_lends_no_scheduler(turbo, tiny_bases):
    """A file that takes parts from a Turbo still uses the base's scheduler."""
    with BaseCache(turbo.parent, tiny_bases.device).borrow("mine") as family:
        assert family.pipeline.scheduler.config.shift == original.BASE_SHIFT


def test_nobody_lends(single_file, tiny_bases):
    """Without a complete model the error says what is missing."""
    bases = BaseCache(single_file[0].parent, tiny_bases.device)
    with pytest.raises(JobError) as refused, bases.borrow("mine"):
        pass

    assert refused.value.code == "base_lone"


def test_half_of_it(single_file, tiny_bases):
    """A file that lacks a weight is refused."""
    place, weights = single_file
    random.write_random_model(place.parent, "zimage")
    content = original.to_original(weights)
    del content["layers.1.attention.out.weight"]
    save_file({name: tensor.contiguous() for name, tensor in content.items()}, place)
    bases = BaseCache(place.parent, tiny_bases.device)

    with pytest.raises(JobError) as refused, bases.borrow("mine"):
        pass

    assert refused.value.code == "base_broken"
