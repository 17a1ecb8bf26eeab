"""Which model a stranger's file was made for, by names, widths and at last by what it says."""

from __future__ import annotations

import pytest

from training.styles.architecture import find_architecture

KOHYA = ("lora_down.weight", "lora_up.weight")
XLABS = ("down.weight", "up.weight")
PEFT = ("lora_A.weight", "lora_B.weight")


def make_header(*layers, width=320, ends=KOHYA, **told):
    """Return the header of a LoRA of these layers that read so many numbers."""
    header = {"__metadata__": {key.replace("__", "."): text for key, text in told.items()}}
    for layer in layers:
        for end, shape in zip(ends, ([4, width], [64, 4]), strict=True):
            header[f"{layer}.{end}"] = {"dtype": "F16", "shape": shape, "data_offsets": [0, 0]}
    return header


CROSS = "transformer_blocks_0_attn2_to_k"


@pytest.mark.parametrize(
    ("header", "family"),
    [
        (make_header(f"lora_unet_down_blocks_1_attentions_0_{CROSS}", width=768), "sd1"),
        (make_header(f"lora_unet_down_blocks_1_attentions_0_{CROSS}", width=1024), "sd2"),
        (make_header(f"lora_unet_input_blocks_4_1_{CROSS}", width=2048), "sdxl"),
        (make_header("lora_unet_output_blocks_0_1_transformer_blocks_9_ff_net_2"), "sdxl"),
        (make_header("lora_te2_text_model_encoder_layers_0_mlp_fc1"), "sdxl"),
        (make_header("text_encoder_2.text_model.encoder.layers.0.mlp.fc1", ends=PEFT), "sdxl"),
        (make_header("lora_te_text_model_encoder_layers_20_mlp_fc1"), "sd2"),
        (make_header("lora_unet_mid_block_x", ss_v2="True"), "sd2"),
        (make_header("lora_unet_mid_block_x", ss_base_model_version="sd_v1"), "sd1"),
        (make_header("x", modelspec__architecture="stable-diffusion-xl-v1-base/lora"), "sdxl"),
        (make_header("diffusion_model.layers.3.attention.to_q", ends=PEFT), "zimage"),
        (make_header("lora_unet_layers_3_attention_qkv", width=3840), "zimage"),
        ({"emb_params": {"shape": [2, 1024]}}, "sd2"),
        ({"clip_l": {"shape": [2, 768]}, "clip_g": {"shape": [2, 1280]}}, "sdxl"),
        ({"bundle_emb.a.b.string_to_param.*": {"shape": [2, 768]}}, "sd1"),
    ],
)
def test_ours(header, family):
    """Files for our families are known by names of layers, by widths or by what they say."""
    assert find_architecture(header).family == family


@pytest.mark.parametrize(
    ("header", "title"),
    [
        (make_header("lora_unet_double_blocks_18_img_attn_qkv", width=3072), "FLUX.1"),
        (make_header("transformer.single_transformer_blocks.37.attn.to_k", ends=PEFT), "FLUX.1"),
        (make_header("double_blocks.10.processor.qkv_lora1", ends=XLABS), "FLUX.1"),
        (make_header("transformer.single_transformer_blocks.0.attn.to_k", ends=PEFT), "FLUX"),
        (make_header("lora_transformer_single_transformer_blocks_30_proj_mlp"), "FLUX.1"),
        (make_header("diffusion_model.single_blocks.47.linear1", ends=PEFT), "FLUX.2"),
        (make_header("lora_unet_double_blocks_19_img_attn_qkv"), "HunyuanVideo"),
        (make_header("lora_unet_joint_blocks_0_x_block_attn_qkv"), "Stable Diffusion 3"),
        (make_header("transformer.transformer_blocks.0.img_mlp.net.2", ends=PEFT), "Qwen-Image"),
        (make_header("lora_unet_blocks_0_self_attn_q"), "Wan"),
        (make_header("diffusion_model.blocks.0.cross_attn.k", ends=PEFT), "Wan"),
        (make_header("lora_unet_layers_3_attention_qkv", width=2304), "Lumina 2"),
        (make_header("lora_unet_down_blocks_0_attentions_0_proj_in"), "Stable Diffusion 1 or 2"),
        (make_header("lora_unet_mid_block_x"), ""),
        (make_header("some.layer"), ""),
        ({}, ""),
    ],
)  # fmt: skip
def test_others(header, title):
    """Other models are named; what is open or unknown stays so."""
    found = find_architecture(header)

    assert (found.family, found.title) == ("", title)
