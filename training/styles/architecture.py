"""Find which model an adapter, embedding or model was made for, by its header alone.

Names of layers come first, then the widths of what they read, at last what the header says. Where
they leave it open, it is left open: a wrong name is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from storage.errors import JobError
from training import families
from training.modelfiles.tensorfile import METADATA
from training.networks.keys import UP, find_layer, parse_key
from training.styles.foreign import FIRST_TEXT, SECOND_TEXT, split_role

TITLES = {
    "sd1": "Stable Diffusion 1", "sd2": "Stable Diffusion 2", "sdxl": "SDXL", "zimage": "Z-Image",
}  # fmt: skip
STABLE, STABLES = "Stable Diffusion 1 or 2", {"sd1", "sd2"}
#: models by the layers that only they have; the first that matches is meant. Comfy-Org/ComfyUI,
#: comfy/lora.py and model_detection.py; kohya-ss/sd-scripts and musubi-tuner, networks/
MARKS = {
    "HunyuanVideo": r"txt_in_individual_token_refiner|double_blocks_19_|single_blocks_3[89]_",
    "Chroma": r"distilled_guidance_layer",
    "FLUX.2": r"(double|single)_stream_modulation|.*_to_qkv_mlp_proj|single_blocks_4[0-7]_",
    "FLUX.1": r"double_blocks_([89]|1[0-8])_|single_blocks_(2[1-9]|3[0-7])_"
    r"|single_transformer_blocks_(2[1-9]|3[0-7])_",
    "FLUX": r"(double|single)_blocks_\d+_|single_transformer_blocks_\d+_(attn|norm|proj)",
    "HiDream": r"(double|single)_stream_blocks_\d+_",
    "AuraFlow": r"joint_transformer_blocks_|(double|single)_layers_\d+_",
    "Stable Diffusion 3": r"joint_blocks_\d+_",
    "Qwen-Image": r"transformer_blocks_\d+_(img|txt)_m(od|lp)",
    "Wan": r"blocks_\d+_((self|cross)_attn_[qkvo]$|ffn_[02]$)",
    "Cosmos": r"blocks_\d+_(self|cross)_attn_(q|k|v|output)_proj$",
}
ZIMAGE = r"(layers|noise_refiner|context_refiner)_\d+_(attention|feed_forward|adaLN_modulation)_"
LUMINA_WIDTHS = {2304}  #: of Lumina 2's layers, whose names Z-Image has, too
JOINT = r"transformer_blocks_\d+_attn_(add_[qkv]_proj|to_add_out)"
JOINT_WIDTHS = {1536: "Stable Diffusion 3", 2432: "Stable Diffusion 3", 3072: "FLUX or Qwen-Image"}
WORDS = r"emb_params$|bundle_emb_.*_string_to_param_\*$"  #: vectors of a word
OUTWARD = {UP, "hada_w1_a", "hada_w2_a"}  #: tensors whose second number is a rank
CROSS_ATTENTION = r".*_attn2_to_[kv]"
SDXL = r".*_transformer_blocks_[1-9]_|label_emb_|add_embedding_"
#: blocks that SDXL's UNet lacks, and so many layers no other first text encoder has
NOT_SDXL = (
    r"down_blocks_(3_|0_attentions)|up_blocks_(3_|2_attentions)|input_blocks_([12]_1_|9_|1\d_)"
)
LONG_TEXT = r"(text_model_)?encoder_layers_(1[2-9]|2\d)_"
#: by the width of what cross-attention reads, of text encoders and of their words
FAMILY_BY_WIDTH = {768: "sd1", 1024: "sd2", 2048: "sdxl"}
FAMILY_BY_METADATA = {
    r"sdxl|stable-diffusion-xl": "sdxl", r"sd_v?1|stable-diffusion-v1": "sd1",
    r"sd_v?2|stable-diffusion-v2": "sd2", r"z[-_]image": "zimage",
}  # fmt: skip


class NamedLayer(NamedTuple):
    """A layer as a file names it."""

    role: str  #: the network it is of
    name: str  #: without dots
    width: int  #: the second number of its tensor's shape: what the layer reads, of most tensors

    def matches(self, marks: str) -> bool:
        """Return whether the name begins with a pattern."""
        return re.match(marks, self.name) is not None


@dataclass(frozen=True, slots=True)
class Architecture:
    """The model that a file was made for."""

    family: str = ""  #: of ours; "" if it is none, or which one is open
    title: str = ""  #: what people call it; "" if it is unknown


def find_architecture(header: Mapping[str, Any]) -> Architecture:
    """Return what a file was made for, by its checked header."""
    layers = list(read_layers(header))
    if title := find_other_title(layers):
        return Architecture("", title)
    told = header.get(METADATA, {})
    family = find_family(header, layers) or find_told_family(told) or find_listed_family(header)
    if family:
        return Architecture(family, TITLES.get(family, family))
    is_stable = any(each.matches(NOT_SDXL) for each in layers)
    return Architecture("", STABLE if is_stable else "")


def require_family(header: Mapping[str, Any], family: str, base: str) -> Architecture:
    """Return what a file was made for; raise JobError if a base is no such one.

    Its code is "style_other" for a model of no family of ours, else "style_family".
    """
    made = find_architecture(header)
    if made.title and not made.family and made.title != STABLE:
        raise JobError("style_other", made=made.title)
    if made.title and made.family != family and not (made.title == STABLE and family in STABLES):
        raise JobError("style_family", made=made.title, base=base)
    return made


def read_layers(header: Mapping[str, Any]) -> Iterator[NamedLayer]:
    """Yield the layers of a file; one has a line for each of its tensors."""
    for name, entry in header.items():
        if name != METADATA:
            reads = len(entry["shape"]) > 1 and parse_key(name)[1] not in OUTWARD
            yield NamedLayer(*split_role(find_layer(name)), entry["shape"][1] if reads else 0)


def find_other_title(layers: list[NamedLayer]) -> str:
    """Return the model that layers belong to, if it is of no family of ours."""
    for title, marks in MARKS.items():
        if any(each.matches(marks) for each in layers):
            return title
    widths = {each.width for each in layers if each.matches(ZIMAGE)}
    if widths & LUMINA_WIDTHS:
        return "Lumina 2"
    joint = [each for each in layers if each.matches(JOINT)]
    return next((JOINT_WIDTHS[each.width] for each in joint if each.width in JOINT_WIDTHS), "")


def find_family(header: Mapping[str, Any], layers: list[NamedLayer]) -> str:
    """Return which of our families layers or vectors belong to; "" where that is open."""
    if any(each.matches(ZIMAGE) for each in layers):
        return "zimage"
    if {"clip_l", "clip_g"} == header.keys() - {METADATA}:
        return "sdxl"
    if any(each.role == SECOND_TEXT or each.matches(SDXL) for each in layers):
        return "sdxl"
    if any(each.role == FIRST_TEXT and each.matches(LONG_TEXT) for each in layers):
        return "sd2"
    widths = (
        each.width for each in layers if each.matches(CROSS_ATTENTION) or each.matches(WORDS)
    )
    return next((FAMILY_BY_WIDTH[width] for width in widths if width in FAMILY_BY_WIDTH), "")


def find_told_family(told: Mapping[str, str]) -> str:
    """Return which of our families a header names."""
    if told.get("ss_v2") == "True":
        return "sd2"
    for key in ("modelspec.architecture", "ss_base_model_version"):
        for marks, family in FAMILY_BY_METADATA.items():
            if re.match(marks, told.get(key, "").lower()):
                return family
    return ""


def find_listed_family(names: Collection[str]) -> str:
    """Return the family that says of its files that they have such names, if only one does."""
    found = [
        family
        for family, module in families.walk().items()
        if any(name.startswith(module.FILES.layers + module.FILES.model) for name in names)
    ]
    return found[0] if len(found) == 1 else ""
