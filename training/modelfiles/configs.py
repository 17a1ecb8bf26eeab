"""The configurations of the families' networks (`configs.toml`): what a single file lacks."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

Config = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """The configurations of a base's networks, for diffusers' and transformers' classes."""

    unet: Config
    vae: Config
    text: Config
    second: Config | None = None  #: of a second text encoder, with a projection


@dataclass(frozen=True, slots=True)
class FlowShape:
    """The same of a Z-Image."""

    transformer: Config
    vae: Config
    text: Config


def read_shape(name: str) -> Shape:
    """Return a Stable Diffusion's shape."""
    own = CONFIGS[name]
    second = CONFIGS["clip"] | own["second"] if "second" in own else None
    vae, text = VAE | own.get("vae", {}), CONFIGS["clip"] | own.get("text", {})
    return Shape(own["unet"], vae, text, second)


CONFIGS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
VAE: Config = CONFIGS["vae"]
SMALL_VAE: Config = {"block_out_channels": [16] * 4, "layers_per_block": 1, "norm_num_groups": 8}
SD15, SD2, SDXL = map(read_shape, ("sd15", "sd2", "sdxl"))
ZIMAGE = FlowShape(**CONFIGS["zimage"] | {"vae": VAE | CONFIGS["zimage"]["vae"]})
TINY_ZIMAGE = FlowShape(**CONFIGS["tiny_zimage"], vae=ZIMAGE.vae | SMALL_VAE)


def shrink_shape(shape: Shape) -> Shape:
    """Return a shape of the same blocks and names with few channels, for tests.

    Prompts become 32 or 96 numbers a token instead of 768 to 2048.
    """
    blocks = len(shape.unet.get("block_out_channels", (0,) * 4))
    small: Config = {"block_out_channels": [32, *[64] * (blocks - 1)], "norm_num_groups": 8}
    small |= {"attention_head_dim": 4, "layers_per_block": 1, "cross_attention_dim": 32}
    second = None
    if shape.second:
        second = shape.second | small_text_config(64)
        small |= {
            "cross_attention_dim": 96,
            "transformer_layers_per_block": [1, 1, 2],
            "addition_time_embed_dim": 8,
            "projection_class_embeddings_input_dim": 64 + 6 * 8,
        }
    return replace(
        shape,
        unet=shape.unet | small,
        vae=shape.vae | SMALL_VAE,
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
