"""Stable Diffusion XL: two text encoders, size conditioning, and an overflowing autoencoder."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from PIL import Image

from training.families import Crop


@pytest.fixture
def family(tiny_bases):
    """Return the loaded tiny model."""
    with tiny_bases.borrow("tiny-sdxl") as family:
        yield family


def test_states(family):
    """Both encoders' penultimate states are concatenated; the second's are pooled, too."""
    tokens, _ = family.tokenize("a cat")
    told = family.embed_prompts(tokens[None])
    theirs = family.pipeline.encode_prompt("a cat", do_classifier_free_guidance=False)

    assert torch.equal(told["states"], theirs[0])
    assert torch.equal(told["pooled"], theirs[2])


def test_padding(family):
    """Each encoder's prompts are padded as by its own makers."""
    first, second = family.tokenize("a cat")[0]

    assert first.tolist()[:4] == second.tolist()[:4] == [49406, 320, 2368, 49407]
    assert (first[-1], second[-1]) == (49407, 0)


def test_pooled_where_the_prompt_ends(family):
    """A learned word's id, the largest of all, is not mistaken for the end token."""
    words = {"zorp": {"clip_l": torch.randn(1, 32), "clip_g": torch.randn(1, 64)}}
    with family.networks.with_words(words):
        tokens, _ = family.tokenize("zorp cat")
        told = family.embed_prompts(tokens[None])
    text = family.text_encoders[1]
    with family.networks.with_words(words):
        whole = text.text_model(tokens[1][None]).last_hidden_state[0]

    assert torch.allclose(told["pooled"][0], text.text_projection(whole[3]), atol=1e-6)


def test_sizes(family):
    """The size conditioning holds the photo's size, the crop's corner and the crop's size."""
    told = family.size_conditioning(Crop((300, 400), (0, 16), (64, 64)))

    assert told["sizes"].tolist() == [300, 400, 0, 16, 64, 64]


def test_sizes_count(family):
    """Another size conditioning changes the prediction."""
    tokens, _ = family.tokenize("a cat")
    told = family.embed_prompts(tokens[None])
    losses = [
        float(
            family.loss(
                torch.ones(1, 4, 8, 8),
                {**told, "sizes": torch.tensor([sizes])},
                torch.Generator().manual_seed(1),
                min_snr_gamma=5.0,
            )
        )
        for sizes in ([64, 64, 0, 0, 64, 64], [900, 900, 0, 0, 64, 64])
    ]

    assert losses[0] != losses[1]


def test_overflow(family):
    """An autoencoder that overflows in fp16 is run again in fp32."""
    picture = Image.new("RGB", (64, 64), "white")
    own, family.vae = family.vae, deepcopy(family.vae)
    try:
        family.vae.half()
        half = family.encode([picture])
        assert family.vae.dtype is torch.float16

        family.vae.encoder.conv_in.weight.data *= 1e5  # the sums of these are above 65,504
        wide = family.encode([picture])

        assert family.vae.dtype is torch.float32
        assert torch.isfinite(half).all()
        assert torch.isfinite(wide).all()
    finally:
        family.vae = own
