"""Resizing a LoRA: the size reached, what is kept and what is lost."""

from __future__ import annotations

import pytest
import torch

from storage.errors import JobError
from training.networks.keys import to_file_keys
from training.styles.foreign import ADAPTER_METADATA
from training.styles.resize import decompose_change, relative_error, shrink, truncate_layers
from training.styles.writer import round_tensors, serialize

KEY, CONV = "lora_unet_a", "lora_unet_b"


def product(tensors, key):
    """Return a layer's delta as programs compute it, scaled by alpha over rank."""
    down, up = (tensors[f"{key}.lora_{way}.weight"].float() for way in ("down", "up"))
    return up.flatten(1) @ down.flatten(1) * (float(tensors[f"{key}.alpha"]) / len(down))


@pytest.fixture
def tensors():
    """Return a linear layer and a convolution of rank 16 with nearly all energy in four ranks."""
    generator = torch.Generator().manual_seed(1)
    strength = torch.tensor([4.0] * 4 + [0.01] * 12)
    found = {}
    for key, window in ((KEY, ()), (CONV, (3, 3))):
        down = torch.randn(16, 96, *window, generator=generator)
        up = torch.randn(128, 16, generator=generator) * strength
        found[f"{key}.lora_down.weight"] = down
        found[f"{key}.lora_up.weight"] = up.reshape(128, 16, *(1,) * len(window))
        found[f"{key}.alpha"] = torch.tensor(8.0)
    return found


@pytest.mark.parametrize("most", [8_000, 14_000, 30_000])
def test_it_fits(tensors, most):
    """The file is within the limit, and one rank more would exceed it."""
    found = shrink(tensors, most)
    size = len(b"".join(serialize(round_tensors(found.tensors), {})))

    assert size <= most + 400  # hashes
    assert size + 2 * (128 + 96 + 128 + 96 * 9) > most - 600


def test_what_matters_is_kept(tensors):
    """With the four strong ranks almost nothing is lost; without them much is."""
    four, three = shrink(tensors, 11_000), shrink(tensors, 8_000)

    assert (four.rank, three.rank) == (4, 3)
    assert four.error < 0.01
    assert three.error > 0.2
    for key in (KEY, CONV):
        whole, kept = product(tensors, key), product(four.tensors, key)
        assert (whole - kept).norm() / whole.norm() == pytest.approx(four.error, abs=0.01)


def test_names_stay(tensors):
    """Keys with peft's names keep them."""
    dotted = {name.replace("lora_unet_", "diffusion_model.x."): t for name, t in tensors.items()}

    found = shrink(to_file_keys(dotted), 11_000)
    plainly = shrink(tensors, 11_000)

    assert found.tensors.keys() == to_file_keys(dotted).keys()
    assert found.rank == plainly.rank
    assert found.error == plainly.error


def test_names_of_others_stay(tensors):
    """A file of diffusers keeps its names, and the alphas in its metadata count."""
    halves = {n: t for n, t in tensors.items() if not n.endswith("alpha")}
    theirs = {
        name.replace("lora_unet_", "unet.x.").replace(".lora_", ".lora."): tensor
        for name, tensor in halves.items()
    }
    told = {ADAPTER_METADATA: '{"unet.r": 16, "unet.lora_alpha": 8}'}

    found, plainly = shrink(theirs, 11_000, told), shrink(tensors, 11_000)

    assert found.tensors.keys() == theirs.keys()
    key = "unet.x.a.lora.up.weight"
    assert torch.allclose(found.tensors[key], plainly.tensors[f"{KEY}.lora_up.weight"], atol=1e-5)


def test_alpha_is_the_rank_and_shapes_are_those_of_a_lora(tensors):
    """Alpha equals the new rank; a convolution's kernel stays in `down`."""
    found = shrink(tensors, 11_000).tensors

    assert found[f"{KEY}.alpha"].item() == 4
    assert found[f"{CONV}.lora_down.weight"].shape == (4, 96, 3, 3)
    assert found[f"{CONV}.lora_up.weight"].shape == (128, 4, 1, 1)


def test_with_room_nothing_is_lost(tensors):
    """If all ranks fit, the product is unchanged."""
    found = shrink(tensors, 10**6)

    assert (found.rank, found.error) == (16, 0.0)
    assert torch.allclose(product(found.tensors, KEY), product(tensors, KEY), atol=1e-4)


def test_a_bundled_word_goes_along(tensors):
    """Tensors of no layer are kept unchanged."""
    word = {"bundle_emb.x.string_to_param.*": torch.ones(2, 192)}

    assert torch.equal(
        shrink(tensors | word, 14_000).tensors[next(iter(word))], torch.ones(2, 192)
    )


@pytest.mark.parametrize(
    ("change", "most", "code"),
    [({}, 500, "shrink_least"), ({f"{KEY}.dora_scale": torch.ones(1, 96)}, 9_000, "shrink_kind")],
)
def test_what_cannot_be_is_said(tensors, change, most, code):
    """Too small a limit, or a file that is no plain LoRA, is refused."""
    with pytest.raises(JobError, match=code):
        shrink(tensors | change, most)


@pytest.mark.parametrize(
    "change",
    [
        {f"{KEY}.lora_up.weight": None},
        {f"{KEY}.lora_up.weight": torch.zeros(128, 3)},
        {f"{KEY}.lora_down.weight": torch.zeros(3)},
        {f"{KEY}.lora_up.weight": torch.full((128, 16), float("nan"))},
    ],
)
def test_a_damaged_file_is_refused(tensors, change):
    """Half a layer, wrong shapes or NaNs are refused, and nothing is written."""
    spoilt = {name: tensor for name, tensor in (tensors | change).items() if tensor is not None}

    with pytest.raises(JobError, match="style_broken"):
        shrink(spoilt, 20_000)


def test_an_embedding_is_no_lora():
    """An embedding has no rank, so it is refused."""
    with pytest.raises(JobError, match="shrink_kind"):
        shrink({"emb_params": torch.ones(2, 192)}, 10**6)


@pytest.mark.parametrize("shape", [(96, 64), (48, 32, 3, 3), (640, 600)])
def test_a_change_is_taken_apart(shape):
    """The strong directions of a layer's change come back, of large layers by projections.

    Twice the same change gives the same tensors, and torch's own random numbers stay.
    """
    generator = torch.Generator().manual_seed(2)
    inner = torch.Size(shape[1:]).numel()
    strong = torch.randn(shape[0], 3, generator=generator) @ torch.randn(
        3, inner, generator=generator
    )
    weak = 0.01 * torch.randn(shape[0], inner, generator=generator)
    change, state = (strong + weak).reshape(shape), torch.get_rng_state()

    first, again = (decompose_change(change, 3) for _ in range(2))
    tensors = truncate_layers({KEY: first}, 3)

    assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(first.outs, again.outs)
    assert (product(tensors, KEY) - strong).norm() < 0.03 * strong.norm()
    assert relative_error([first], 3) == pytest.approx(float(weak.norm() / change.norm()), rel=0.2)
    assert tensors[f"{KEY}.lora_down.weight"].shape == (3, *shape[1:])
