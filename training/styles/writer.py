"""The files that come out: safetensors that other programs load, their recipe in the header."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from storage.errors import JobError
from storage.folders import replacing
from storage.records import Base, Optimizer
from training import methods
from training.families import Family
from training.modelfiles.tensorfile import METADATA
from training.recipe.recipe import Recipe
from training.styles.header import read_header
from training.styles.thumbnail import KEY, make_thumbnail

MAX_FILE_BYTES = 16 * 2**30  # bytes of a style we would open; a whole SDXL has 7
MODELSPEC_VERSION = "1.0.1"  # of modelspec
PREDICTIONS = {"epsilon": "epsilon", "v_prediction": "v"}  # in modelspec's words; of no others
RECORDED_PACKAGES = ("safelight", "torch", "diffusers", "transformers", "peft", "lycoris-lora")


@dataclass(frozen=True, slots=True)
class Origin:
    """What a file says of the base and the method it came from."""

    architecture: str  #: of the base, as modelspec calls it
    version: str  #: of the base, as kohya's tools call it
    kind: str  #: of the file, as modelspec calls it; nothing for a whole model
    prediction: str
    base: str  #: the base's source
    clip_skip: int = 1  #: clip skip
    usage_hint: str = ""  #: how the style is best used


def describe_origin(recipe: Recipe, family: Family, base: Base) -> Origin:
    """Return what the header of a recipe's file says of the base."""
    return Origin(
        family.architecture,
        family.version,
        methods.find(recipe.method).TRAITS.modelspec if recipe.rank else "",
        family.prediction,
        base.source,
        base.clip_skip,
    )


def round_tensors(
    weights: dict[str, Tensor], dtype: torch.dtype = torch.float16
) -> dict[str, Tensor]:
    """Round tensors to what is written."""
    return {name: tensor.to(dtype).contiguous() for name, tensor in weights.items()}


def write_style(
    path: Path,
    weights: dict[str, Tensor],
    recipe: Recipe,
    origin: Origin,
    sample: Path | None = None,
) -> str:
    """Write a style atomically, the same bytes for the same recipe; return its digest.

    `sample` is the PNG of which its header shows a small copy.
    """
    tensors = round_tensors(weights)
    told = modelspec_metadata(recipe, origin) | kohya_metadata(recipe, origin, tensors)
    if sample is not None:
        told[KEY] = make_thumbnail(sample)
    return write_tensors(path, tensors, told)


def write_tensors(path: Path, tensors: dict[str, Tensor], told: dict[str, str]) -> str:
    """Write a file atomically, however large it is; return its digest."""
    total = hashlib.sha256()
    with replacing(path) as part, part.open("wb") as file:
        for piece in serialize(tensors, told):
            total.update(piece)
            file.write(piece)
    return total.hexdigest()


def serialize(tensors: dict[str, Tensor], told: dict[str, str]) -> Iterator[bytes | memoryview]:
    """Yield a file's bytes in pieces: the header in one fixed order, then fp16 tensors.

    The library's own order of what is told is by chance. The hashes are those that programs
    compare.
    """
    places, at, body = {}, 0, hashlib.sha256()
    for name in sorted(tensors):
        content = fp16_bytes(tensors[name])
        body.update(content)
        places[name] = {
            "dtype": "F16",
            "shape": list(tensors[name].shape),
            "data_offsets": [at, at + content.nbytes],
        }
        at += content.nbytes
    digest = body.hexdigest()
    hashes = {"modelspec.hash_sha256": f"0x{digest}", "sshs_model_hash": digest}
    hashes["sshs_legacy_hash"] = digest[:8]
    header = {"__metadata__": dict(sorted((told | hashes).items()))} | places
    line = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    line += b" " * (-len(line) % 8)
    yield len(line).to_bytes(8, "little") + line
    for name in places:
        yield fp16_bytes(tensors[name])


def fp16_bytes(tensor: Tensor) -> memoryview:
    """Look at the bytes of an fp16 tensor."""
    return tensor.half().reshape(-1).view(torch.uint8).numpy().data


def modelspec_metadata(recipe: Recipe, origin: Origin) -> dict[str, str]:
    """Write modelspec's fields (Stability-AI/ModelSpec 1.0.1): what must and what should be."""
    date = datetime.fromtimestamp(recipe.accepted, UTC)
    told = {
        "modelspec.sai_model_spec": MODELSPEC_VERSION,
        "modelspec.architecture": "/".join(filter(None, (origin.architecture, origin.kind))),
        "modelspec.implementation": "diffusers",
        "modelspec.title": recipe.name,
        "modelspec.resolution": f"{recipe.resolution}x{recipe.resolution}",
        "modelspec.description": f"A {recipe.concept} trained with Safelight on {recipe.base}",
        "modelspec.author": "Safelight",
        "modelspec.date": date.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "modelspec.trigger_phrase": ", ".join(recipe.photo_ranges),
    }
    if origin.usage_hint:
        told["modelspec.usage_hint"] = origin.usage_hint
    if origin.prediction in PREDICTIONS:
        told["modelspec.prediction_type"] = PREDICTIONS[origin.prediction]
    return told


def kohya_metadata(recipe: Recipe, origin: Origin, tensors: dict[str, Tensor]) -> dict[str, str]:
    """Write the fields that A1111, Forge and kohya's tools read: counts and the trigger."""
    counts = {trigger: len(photos) for trigger, photos in recipe.photo_ranges.items()}
    told = {
        "ss_output_name": recipe.name,
        "ss_base_model_version": origin.version,
        "ss_sd_model_name": origin.base,
        "ss_v2": str(origin.version.startswith("sd_v2")),
        "ss_resolution": f"({recipe.resolution}, {recipe.resolution})",
        "ss_num_train_images": str(len(recipe.all_photos)),
        "ss_steps": str(recipe.steps),
        "ss_max_train_steps": str(recipe.steps),
        "ss_total_batch_size": str(recipe.batch_size),
        "ss_learning_rate": str(recipe.trained_rate),
        "ss_lr_scheduler": recipe.lr_scheduler,
        "ss_min_snr_gamma": str(recipe.min_snr_gamma),
        "ss_noise_offset": str(recipe.noise_offset),
        "ss_caption_dropout_rate": str(recipe.caption_dropout_rate),
        "ss_seed": str(recipe.seed),
        "ss_mixed_precision": recipe.precision,
        "ss_training_started_at": str(recipe.accepted),
        "ss_tag_frequency": json.dumps({"safelight": counts}),
        "safelight.recipe": json.dumps(recipe.public_json(), sort_keys=True),
        "safelight.versions": json.dumps(list_versions()),
    }
    if origin.clip_skip > 1:
        told["ss_clip_skip"] = str(origin.clip_skip)
    if recipe.optimizer is not Optimizer.ADAMW:
        told["ss_optimizer"] = recipe.optimizer
    lycoris = methods.find(recipe.method).TRAITS.lycoris
    if any(name.endswith(".alpha") for name in tensors):
        told["ss_network_module"] = "lycoris.kohya" if lycoris else "networks.lora"
        told["ss_network_dim"] = told["ss_network_alpha"] = str(recipe.rank)
    if lycoris:
        told["ss_network_args"] = json.dumps(dict(lycoris))
    elif recipe.all_layers:
        told["ss_network_args"] = json.dumps(
            dict.fromkeys(("conv_dim", "conv_alpha"), str(recipe.rank))
        )
    return told


def list_versions() -> dict[str, str]:
    """Return the versions of the packages that a style's bytes may depend on, by name."""
    return {name: version(name) for name in RECORDED_PACKAGES}


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a style's tensors; whoever uses them checks them against the networks first."""
    names = sorted(read_header(path).keys() - {METADATA})
    if path.stat().st_size > MAX_FILE_BYTES:
        raise JobError("style_broken", file=path.name, reason="it is too large")
    try:
        with safe_open(path, framework="pt") as opened:
            return {name: opened.get_tensor(name) for name in names}
    except (SafetensorError, OSError, ValueError, AttributeError) as broken:  # a type torch lacks
        raise JobError("style_broken", file=path.name, reason=str(broken)[:80]) from broken
