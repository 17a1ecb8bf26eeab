"""Read other people's adapters: their names of layers and tensors become ours.

Known are the names of kohya (also for sgm's blocks, as it writes SDXL), of diffusers (old and
new), peft, ai-toolkit, OneTrainer, LyCORIS, ComfyUI and, where a family has them, of its authors.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from storage.errors import JobError
from training.lazy import Tensor, torch
from training.modelfiles.tensorfile import METADATA, shorten
from training.networks.keys import ALPHA, DOWN, UP, parse_key, to_file_keys
from training.networks.networks import Networks, Part

#: what stands before a layer's own name, without dots: of the denoiser, of each text encoder
DENOISER, FIRST_TEXT, SECOND_TEXT = "denoiser", "text", "text_2"
ROLES = {
    "lora_te2_": SECOND_TEXT, "text_encoder_2_": SECOND_TEXT, "te2_": SECOND_TEXT,
    "text_encoders_clip_g_transformer_": SECOND_TEXT,
    "lora_te1_": FIRST_TEXT, "lora_te_": FIRST_TEXT, "text_encoder_": FIRST_TEXT,
    "te1_": FIRST_TEXT, "te_": FIRST_TEXT, "text_encoders_clip_l_transformer_": FIRST_TEXT,
    "lora_unet_": DENOISER, "unet_": DENOISER, "model_diffusion_model_": DENOISER,
    "diffusion_model_": DENOISER, "lora_transformer_": DENOISER, "lycoris_": DENOISER,
}  # fmt: skip
PEFT = "base_model_model_"
TRANSFORMER = re.compile("transformer_(?!blocks_)")
#: how text encoders' attention was called by diffusers before 0.20
OLD_TEXT_NAMES = {f"self_attn_to_{one}": f"self_attn_{one}_proj" for one in ("q", "k", "v", "out")}
MIDDLE = "lora_mid"
ADAPTER_METADATA = "lora_adapter_metadata"  #: of diffusers since 0.34: the adapters' configs

ALPHA_KEYS = ("lora_alpha", "alpha_pattern", "use_rslora")
PEFT_PREFIX, PEFT_CONFIG = "base_model.model.", "adapter_config.json"
MAX_CONFIG_BYTES = 1 << 20  #: bytes of a configuration that are read

Places = dict[tuple[str, str], tuple[str, ...]]  #: our keys by role and flat name


def split_role(layer: str) -> tuple[str, str]:
    """Cut a layer's name after what says of which network it is; "" where nothing says so.

    The rest comes back without dots.
    """
    flat, role = layer.replace(".", "_").removeprefix(PEFT), ""
    for start, named in ROLES.items():
        if flat.startswith(start):
            flat, role = flat.removeprefix(start), named
            break
    else:
        if TRANSFORMER.match(flat):
            flat, role = flat.removeprefix("transformer_"), DENOISER
    return role, flat.removeprefix(PEFT)


def normalize(
    tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None
) -> dict[str, Tensor]:
    """Call the ends of keys as kohya does, and make every alpha a tensor of floating point.

    Raises JobError("style_broken") if two names become one.
    """
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        layer, end = parse_key(name)
        key = f"{layer}.{end}" if layer else name
        if key in found:
            raise JobError("style_broken", reason=f"it has {shorten(key)} twice")
        found[key] = tensor.float() if is_odd(tensor, end) else tensor
    return fold_middles(found | dict(read_alphas(found, metadata or {})))


def is_odd(tensor: Tensor, end: str) -> bool:
    """Return whether a tensor's numbers are better read as fp32: whole alphas, and fp8."""
    whole = not tensor.is_floating_point() and not tensor.is_complex()
    return (whole and end == ALPHA) or (not whole and tensor.dtype.itemsize == 1)


def fold_middles(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Make a convolution of three parts (Tucker, by LyCORIS) one of two: the middle goes down."""
    found = dict(tensors)
    for name, middle in tensors.items():
        layer, end = parse_key(name)
        down = tensors.get(f"{layer}.{DOWN}")
        if end == MIDDLE and down is not None and middle.ndim == down.ndim == 4:
            del found[name]
            try:
                found[f"{layer}.{DOWN}"] = torch.einsum(
                    "rsij,sc->rcij", middle.float(), down.float().flatten(1)
                )
            except RuntimeError as broken:
                reason = f"tensors of {shorten(layer)} don't fit together"
                raise JobError("style_broken", reason=reason) from broken
    return found


def read_alphas(
    tensors: Mapping[str, Tensor], metadata: Mapping[str, str]
) -> Iterator[tuple[str, Tensor]]:
    """Yield the alphas that a file's metadata tells, not its tensors: diffusers' and peft's."""
    try:
        told = json.loads(metadata[ADAPTER_METADATA])
        for name, down in tensors.items():
            layer, end = parse_key(name)
            plain = layer.removeprefix(PEFT_PREFIX)
            network, _, inner = plain.partition(".") if plain == layer else ("", "", plain)
            own = {key: told.get(f"{network}.{key}".strip("."), None) for key in ALPHA_KEYS}
            if end == DOWN and own["lora_alpha"] is not None and f"{layer}.{ALPHA}" not in tensors:
                alpha = float((own["alpha_pattern"] or {}).get(inner, own["lora_alpha"]))
                root = len(down) ** 0.5 if own["use_rslora"] else 1.0
                yield f"{layer}.{ALPHA}", torch.tensor(alpha * root)
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
        return


def read_told(file: Path, header: Mapping[str, Any]) -> dict[str, str]:
    """Return a header's metadata, for a file of peft's with the configuration beside it."""
    told: dict[str, str] = header.get(METADATA, {})
    beside = file.with_name(PEFT_CONFIG)
    if any(name.startswith(PEFT_PREFIX) for name in header) and beside.is_file():
        text = beside.read_bytes()[:MAX_CONFIG_BYTES].decode(errors="replace")
        return {ADAPTER_METADATA: text} | told
    return told


def translate(
    tensors: Mapping[str, Tensor], networks: Networks, metadata: Mapping[str, str] | None = None
) -> dict[str, Tensor]:
    """Return an adapter's tensors under our names; what belongs to no layer keeps its own.

    Raises JobError("style_broken") if two names become one.
    """
    layers, places, found = networks.find_layers(), find_places(networks), dict[str, Tensor]()
    for name, tensor in normalize(tensors, metadata).items():
        layer, end = parse_key(name)
        keys = places.get(split_role(layer), ()) if layer else ()
        sizes = [len(layers[key].weight) for key in keys]
        for key, part in zip(keys, split_fused(tensor, end, sizes), strict=False):
            if f"{key}.{end}" in found:
                raise JobError("style_broken", reason=f"it has {shorten(key)}.{end} twice")
            found[f"{key}.{end}"] = part
        if not keys:
            found[rename_word(name, networks)] = tensor
    return to_file_keys(found)


def rename_word(name: str, networks: Networks) -> str:
    """Name a bundled word's vectors as ours do; OneTrainer has one name for all of CLIP's."""
    bundled = name.startswith("bundle_emb.") and name.endswith(".clip_l")
    if bundled and len(networks.vocabularies) == 1:
        return name.removesuffix("clip_l") + "string_to_param.*"
    return name


def split_fused(tensor: Tensor, end: str, sizes: list[int]) -> Iterator[Tensor]:
    """Yield a tensor for each of the layers that a file has as one, by their numbers of outputs.

    Such a layer's `up` is cut; its `down` and alpha are the same for all.
    """
    if len(sizes) > 1 and end == UP and len(tensor) == sum(sizes):
        yield from (part.contiguous() for part in torch.split(tensor, sizes))
    else:
        yield from [tensor] * len(sizes)


def find_places(networks: Networks) -> Places:
    """Return our keys of the layers that a file may mean, by role and name without dots."""
    places: Places = {}
    texts = [part for part in networks.parts if part.is_text_encoder]
    for part in networks.parts:
        role = (FIRST_TEXT, SECOND_TEXT)[texts.index(part)] if part in texts else DENOISER
        for flat, names in flat_names(part).items():
            keys = tuple(map(part.key, names))
            places[role, flat] = keys
            places.setdefault(("", flat), keys)
    return places


def flat_names(part: Part) -> dict[str, tuple[str, ...]]:
    """Return the layers of a network by every name without dots that files have for them."""
    names = list(part.all_layers())
    found = {other.replace(".", "_"): own for other, own in part.other_names(names).items()}
    for name in names:
        flat = name.replace(".", "_")
        found[flat] = found[flat.replace("_to_out_0", "_to_out")] = (name,)  # old diffusers' name
        if part.is_text_encoder:
            found[f"text_model_{flat.removeprefix('text_model_')}"] = (name,)
            found[flat.removeprefix("text_model_")] = (name,)
    old = {
        flat.replace(theirs, ours): names
        for flat, names in found.items()
        for ours, theirs in OLD_TEXT_NAMES.items()
        if theirs in flat
    }
    return old | found
