"""The configurations of the families' networks: what a single file lacks, and their tiny likes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

Config = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """The configurations of a base's networks, for diffusers' and transformers' classes."""

    unet: Config
    vae: Config
    text: Config
    second: Config | None = None  #: of a second text encoder, with a projection


VAE: Config = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "block_out_channels": (128, 256, 512, 512),
    "layers_per_block": 2,
    "sample_size": 512,
}
OPENAI: Config = {
    "vocab_size": 49_408,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "projection_dim": 768,
    "bos_token_id": 49_406,
    "eos_token_id": 49_407,
}
OPENCLIP: Config = OPENAI | {"hidden_act": "gelu"}

# diffusers' defaults are SD 1.5
SD15 = Shape(unet={"sample_size": 64, "cross_attention_dim": 768}, vae=VAE, text=OPENAI)
SD2 = Shape(
    unet={
        "sample_size": 96,
        "cross_attention_dim": 1024,
        "attention_head_dim": (5, 10, 20, 20),
        "use_linear_projection": True,
        "upcast_attention": True,
    },
    vae=VAE | {"sample_size": 768},
    text=OPENCLIP
    | {
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "num_hidden_layers": 23,  # of 24: the last one is never read
        "num_attention_heads": 16,
        "projection_dim": 512,
    },
)
SDXL = Shape(
    unet={
        "sample_size": 128,
        "block_out_channels": (320, 640, 1280),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "transformer_layers_per_block": (1, 2, 10),
        "attention_head_dim": (5, 10, 20),
        "cross_attention_dim": 2048,
        "use_linear_projection": True,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2816,
    },
    vae=VAE | {"sample_size": 1024, "scaling_factor": 0.13025, "force_upcast": True},
    text=OPENAI,
    second=OPENCLIP
    | {
        "hidden_size": 1280,
        "intermediate_size": 5120,
        "num_hidden_layers": 32,
        "num_attention_heads": 20,
        "projection_dim": 1280,
    },
)


@dataclass(frozen=True, slots=True)
class FlowShape:
    """The same of a Z-Image."""

    transformer: Config
    vae: Config
    text: Config


ZIMAGE = FlowShape(
    transformer={},  # diffusers' defaults are Z-Image
    vae=VAE
    | {
        "latent_channels": 16,
        "scaling_factor": 0.3611,
        "shift_factor": 0.1159,
        "use_quant_conv": False,
        "use_post_quant_conv": False,
        "sample_size": 1024,
    },
    text={  # Qwen3 4B
        "vocab_size": 151_936,
        "hidden_size": 2560,
        "intermediate_size": 9728,
        "num_hidden_layers": 36,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 128,
    },
)
TINY_ZIMAGE = FlowShape(  # the same blocks with few channels
    transformer={
        "dim": 48,
        "n_layers": 2,
        "n_refiner_layers": 1,
        "n_heads": 2,
        "n_kv_heads": 2,
        "cap_feat_dim": 32,
        "axes_dims": [8, 8, 8],
    },
    vae=ZIMAGE.vae
    | {"block_out_channels": (16,) * 4, "layers_per_block": 1, "norm_num_groups": 8},
    text={
        "vocab_size": 512,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 16,
    },
)


def shrink_shape(shape: Shape) -> Shape:
    """Return a shape of the same blocks and names with few channels, for tests.

    Prompts become 32 or 96 numbers a token instead of 768 to 2048.
    """
    blocks = len(shape.unet.get("block_out_channels", (0,) * 4))
    small: Config = {"block_out_channels": (32, *(64,) * (blocks - 1)), "norm_num_groups": 8}
    small |= {"attention_head_dim": 4, "layers_per_block": 1, "cross_attention_dim": 32}
    second = None
    if shape.second:
        second = shape.second | small_text_config(64)
        small |= {
            "cross_attention_dim": 96,
            "transformer_layers_per_block": (1, 1, 2),
            "addition_time_embed_dim": 8,
            "projection_class_embeddings_input_dim": 64 + 6 * 8,
        }
    vae = {"block_out_channels": (16,) * 4, "layers_per_block": 1, "norm_num_groups": 8}
    return replace(
        shape,
        unet=shape.unet | small,
        vae=shape.vae | vae,
        text=shape.text | small_text_config(32),
        second=second,
    )


def small_text_config(width: int) -> Config:
    """Return a small text encoder's configuration."""
    return {
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "projection_dim": width,
    }
