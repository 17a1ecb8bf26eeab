"""Single-file checkpoints of Stable Diffusion 1.x, in the layout of CompVis' latent-diffusion.

diffusers converts the weights; the configurations and CLIP's vocabulary, which such a file lacks
and diffusers would download, are here. `clip.txt.gz` holds the merges of OpenAI's CLIP (MIT).
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.loaders.single_file_utils import (
    convert_ldm_clip_checkpoint,
    convert_ldm_unet_checkpoint,
    convert_ldm_vae_checkpoint,
)
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from storage.errors import JobError

if TYPE_CHECKING:
    import torch

HEADER = 100 * 2**20  # bytes; no honest header is larger
MERGES = Path(__file__).with_name("families") / "clip.txt.gz"
BEGIN, END, TOKENS = "<|startoftext|>", "<|endoftext|>", 77
READS = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
SEES = "model.diffusion_model.input_blocks.0.0.weight"
TEXT = "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight"
PICTURES = "first_stage_model.encoder.conv_in.weight"


@dataclass(frozen=True, slots=True)
class Shape:
    """The configurations of the three networks in a file."""

    unet: dict[str, Any]
    vae: dict[str, Any]
    text: dict[str, Any]


SD15 = Shape(
    unet={"sample_size": 64, "cross_attention_dim": 768},  # diffusers' defaults are SD 1.5
    vae={
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
        "block_out_channels": (128, 256, 512, 512),
        "layers_per_block": 2,
        "sample_size": 512,
    },
    text={
        "vocab_size": 49_408,
        "hidden_size": 768,
        "intermediate_size": 3072,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "projection_dim": 768,
        "bos_token_id": 49_406,
        "eos_token_id": 49_407,
    },
)


def header(place: Path) -> dict[str, Any]:
    """Read the names and shapes in a safetensors file; nothing for any other file."""
    try:
        with place.open("rb") as stream:
            size = int.from_bytes(stream.read(8), "little")
            found = json.loads(stream.read(size)) if 0 < size < HEADER else {}
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def recognises(place: Path) -> bool:
    """Tell from its header whether a file is a whole Stable Diffusion 1.x."""
    found = header(place)
    if not {READS, SEES, TEXT, PICTURES} <= found.keys():
        return False
    # 1024 would be SD 2; nine channels an inpainting model
    return bool(found[READS]["shape"][1] == 768 and found[SEES]["shape"][1] == 4)


def load(place: Path, dtype: torch.dtype, shape: Shape = SD15) -> StableDiffusionPipeline:
    """Load a single file; nothing is downloaded."""
    unet = UNet2DConditionModel(**shape.unet)
    vae = AutoencoderKL(**shape.vae)
    text = CLIPTextModel(CLIPTextConfig(**shape.text))
    try:
        content = load_file(place)
        unet.load_state_dict(convert_ldm_unet_checkpoint(content, dict(unet.config)))
        vae.load_state_dict(convert_ldm_vae_checkpoint(content, dict(vae.config)))
        text.load_state_dict(read(content))
    except (SafetensorError, OSError, RuntimeError, KeyError, AttributeError) as broken:
        raise JobError("base_broken", base=place.name) from broken
    return StableDiffusionPipeline(
        unet=unet.to(dtype), vae=vae.to(dtype), text_encoder=text.to(dtype),
        tokenizer=tokenizer(), scheduler=scheduler(), safety_checker=None,
        feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip


def read(content: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Pick the text encoder's weights, by the names they have since transformers 5.6."""
    found = convert_ldm_clip_checkpoint(content)
    named = {name.removeprefix("text_model."): tensor for name, tensor in found.items()}
    named.pop("embeddings.position_ids", None)
    return named


def scheduler() -> DDIMScheduler:
    """Build the scheduler Stable Diffusion 1.x was trained for."""
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )


def tokenizer() -> CLIPTokenizer:
    """Build CLIP's tokenizer from its merges."""
    lines = gzip.decompress(MERGES.read_bytes()).decode().splitlines()
    merges = [tuple(line.split()) for line in lines]
    letters = alphabet()
    words = [*letters, *(f"{letter}</w>" for letter in letters)]
    words += ["".join(pair) for pair in merges]
    words += [BEGIN, END]
    vocabulary = {word: index for index, word in enumerate(words)}
    made: CLIPTokenizer = CLIPTokenizer(
        vocab=vocabulary, merges=merges, model_max_length=TOKENS, pad_token=END
    )
    return made


def alphabet() -> list[str]:
    """List how bytes are written, in CLIP's order: the printable ones first."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in printable]
    moved = dict(zip(rest, range(256, 256 + len(rest)), strict=True))
    return [chr(moved.get(byte, byte)) for byte in (*printable, *rest)]
