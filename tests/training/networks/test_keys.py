"""Tensor names: layers with dots and without, and the names of a LoRA's halves."""

from __future__ import annotations

import pytest

from training.networks import keys


@pytest.mark.parametrize(
    ("name", "layer", "end"),
    [
        ("lora_unet_x_0.lora_down.weight", "lora_unet_x_0", "lora_down.weight"),
        ("lora_te_x.alpha", "lora_te_x", "alpha"),
        ("lora_unet_x.oft_blocks", "lora_unet_x", "oft_blocks"),
        ("diffusion_model.x.0.lora_A.weight", "diffusion_model.x.0", "lora_A.weight"),
        ("diffusion_model.x.0.hada_w1_a", "diffusion_model.x.0", "hada_w1_a"),
        ("emb_params", "", "emb_params"),
    ],
)
def test_cut(name, layer, end):
    """The end of a key is split off, whatever the layer's name."""
    assert keys.split_key(name) == (layer, end)


def test_halves():
    """Halves have peft's names if layers have dots, else kohya's; both convert back."""
    plain = {"a_b.lora_down.weight": 1, "a.b.lora_up.weight": 2, "a.b.alpha": 3, "clip_l": 4}

    written = keys.to_file_keys(plain)

    assert written == {
        "a_b.lora_down.weight": 1, "a.b.lora_B.weight": 2, "a.b.alpha": 3, "clip_l": 4,
    }  # fmt: skip
    assert keys.to_kohya_keys(written) == plain
