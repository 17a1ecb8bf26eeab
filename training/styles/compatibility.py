"""In which programs a style's file loads, by the names of its tensors.

What a program takes was read in its source; where it cannot, the reason is named here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from training.networks.keys import cut
from training.styles.header import kind

if TYPE_CHECKING:
    from collections.abc import Collection

PROGRAMS = ("kohya", "AUTOMATIC1111", "Forge", "Forge Neo", "ComfyUI", "diffusers")

# AUTOMATIC1111/stable-diffusion-webui 873edba4 (1.6), extensions-builtin/Lora/networks.py: a key
# is cut at its first dot; what stands before must be named like one of these.
A1111 = (
    r"lora_unet_(down|up)_blocks_\d+_(attentions|resnets)_\d+_.+",
    r"lora_unet_mid_block_(attentions|resnets)_\d+_.+",
    r"lora_te[12]?_text_model_encoder_layers_\d+_.+",
)
# Comfy-Org/ComfyUI 17358c8f, comfy/lora.py (prefixes and the text encoder's layers), and
# 09708eae, comfy/utils.py (the UNet's layers that are known).
_LAYER = r"(attn[12]_to_(q|k|v|out_0)|ff_net_(0_proj|2))"
COMFY = (
    rf"lora_unet_((down|up)_blocks_\d+|mid_block)_attentions_\d+_transformer_blocks_\d+_{_LAYER}",
    r"lora_unet_((down|up)_blocks_\d+|mid_block)_attentions_\d+_proj_(in|out)",
    r"lora_unet_((down|up)_blocks_\d+|mid_block)_resnets_\d+_conv[12]",
    r"lora_te[12]?_text_model_encoder_layers_\d+_(self_attn_(q|k|v|out)_proj|mlp_fc[12])",
)
# Haoming02/sd-webui-forge-classic, branch neo, 0cc5e9ea, modules_forge/packages/comfy/lora.py: the
# names of ComfyUI, Z-Image's too; which kinds it reads stands in a copy of it that keeps that
# file, TJD258/SD-forgeNeo 77eeb748, weight_adapter/__init__.py.
LAYERS = {"AUTOMATIC1111": A1111, "Forge": A1111, "Forge Neo": COMFY, "ComfyUI": COMFY}

# Z-Image's transformer: Comfy-Org/ComfyUI, the same two files (model_lora_keys_unet for Lumina2,
# z_image_to_diffusers); q, k and v become parts of one. diffusers 0.42 knows the same names.
_PARTS = r"(attention\.to_(q|k|v|out\.0)|feed_forward\.w[123])"
FLOW = (rf"diffusion_model\.(layers|noise_refiner|context_refiner)\.\d+\.{_PARTS}",)
NAMED = {"Forge Neo": FLOW, "ComfyUI": FLOW, "diffusers": FLOW}
DOTTED = "diffusion_model."  #: how the names of such layers begin

_WORDLESS = "knows no bundled word"
_NEVER, _OLD = "knows no hypernetworks", ("AUTOMATIC1111", "ComfyUI")
_PLAIN = "reads plain LoRAs only"
#: Why a program cannot read a kind. A1111 550659ce, network_oft.py: turns biases, too; its
#: networks.py, 873edba4, reads words in LoRAs, as ComfyUI does from its folder of embeddings
#: (sd1_clip.py, bundled_embed). Forge, backend/patcher/lora.py: no OFT. LyCORIS 4.1.3,
#: modules/locon.py: makes every DoRA anew by outputs. diffusers 0.42, lora_conversion_utils.py.
AMISS = {
    ("dora", "kohya"): "takes strengths by outputs only",
    ("oft", "AUTOMATIC1111"): "turns biases, too",
    ("oft", "Forge"): "knows no OFT",
    **{("pivotal", each): _WORDLESS for each in ("kohya", "Forge", "Forge Neo", "diffusers")},
    **{("hypernetwork", each): _NEVER for each in PROGRAMS},
    **{("hypernetwork", each): "reads the .pt of safelight export" for each in _OLD},
    **{(each, "diffusers"): _PLAIN for each in ("dora", "loha", "lokr", "oft")},
}

#: The same of Z-Image. musubi-tuner, which is kohya's for it, reads LoRAs that its convert_lora.py
#: (15a80fb1) has given its own names; diffusers 0.42, lora_pipeline.py, ZImageLoraLoaderMixin.
_UNKNOWN, _TWO = "knows no Z-Image", "reads plain LoRAs and LoKrs only"
STRANGERS = {
    "kohya": "has names of its own for layers",
    "AUTOMATIC1111": _UNKNOWN,
    "Forge": _UNKNOWN,
}
NEITHER = {(each, "diffusers"): _TWO for each in ("dora", "loha", "oft")}

#: What a program has left out: Forge Neo's README, 00950b8f, and its backend/loader.py, 0a4d9229.
LEFT = {"sd2": {"Forge Neo": "knows no Stable Diffusion 2"}}

#: A model is read by all of them at the sizes they know; this layer no smaller one has.
DEEP = "model.diffusion_model.input_blocks.8.0.in_layers.0.weight"
SHALLOW = "knows no model as small"
#: How the names of what a model has beside its UNet begin: the autoencoder, the text encoders.
BESIDE = ("first_stage_model.", ("cond_stage_model.", "conditioner.embedders."))
#: A Z-Image's transformer comes alone: ComfyUI (comfy/model_detection.py) and Forge Neo (037db03b,
#: huggingface_guess/detection.py) know its width by its weights, musubi-tuner (060ccc3a,
#: zimage_model.py) and diffusers (from_single_file) the names.
LONE, LAST = "cap_pad_token", "layers.29.attention.qkv.weight"
PARTIAL = "wants text encoder and autoencoder, too"


def loads(names: Collection[str], family: str = "") -> dict[str, str]:
    """Tell of every program why it cannot read a file of these tensors; nothing if it can.

    Names of tensors do not tell Stable Diffusion 1 from 2: the family does, where it is known.
    """
    return named(names) | LEFT.get(family, {})


def named(names: Collection[str]) -> dict[str, str]:
    """Tell what `loads` does by the names alone."""
    what = kind(names)
    if what == "embedding":
        return dict.fromkeys(PROGRAMS, "")
    if what == "finetune":
        return alone(names) if LONE in names else dict.fromkeys(PROGRAMS, lack(names))
    layers = sorted({cut(name)[0] for name in names if not name.startswith("bundle_emb.")})
    dotted = any(layer.startswith(DOTTED) for layer in layers)
    known, amiss = (NAMED, NEITHER) if dotted else (LAYERS, AMISS)
    found = {}
    for program in PROGRAMS:
        rules = known.get(program, (".+",))
        strange = [key for key in layers if not any(re.fullmatch(rule, key) for rule in rules)]
        reason = f"does not know {strange[0][:80]}" if strange else ""
        found[program] = amiss.get((what, program), reason)
    return found | (STRANGERS if dotted else {})


def alone(names: Collection[str]) -> dict[str, str]:
    """Tell of every program why it cannot read a Z-Image's transformer; nothing if it can."""
    size = "" if LAST in names else SHALLOW
    return dict.fromkeys(PROGRAMS, size) | STRANGERS | {"kohya": size}


def lack(names: Collection[str]) -> str:
    """Tell why no program reads a file as a model; nothing if all do."""
    if not all(any(name.startswith(begin) for name in names) for begin in BESIDE):
        return PARTIAL
    return "" if DEEP in names else SHALLOW
