"""Bases as folders, the way diffusers keeps them: on the disk or in the hub's cache."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import Any

from storage.errors import JobError
from training.lazy import diffusers, torch, transformers

MAX_CONFIG_BYTES = 8 << 20  #: the largest there are, tokenizers' apart, take some kilobytes
LATENT_CHANNELS = 4  #: of an autoencoder whose config does not say
STABLE = ("unet", "text_encoder", "vae")  #: what a Stable Diffusion has at least


def read_config(place: Path, *parts: str) -> dict[str, Any]:
    """Read one of a folder's JSON files; nothing where there is none, or no ordinary one."""
    file = place.joinpath(*parts)
    try:
        if not file.is_file() or file.stat().st_size > MAX_CONFIG_BYTES:
            return {}  # a pipe, or a device without end
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def read_pipeline_name(place: Path) -> str:
    """Return the class name of a folder's pipeline."""
    return str(read_config(place, "model_index.json").get("_class_name", ""))


def read_kind(place: Path) -> tuple[str, str]:
    """Return a Stable Diffusion's pipeline class and its first text encoder's activation.

    OpenAI's CLIP has quick_gelu, OpenCLIP gelu. Inpainting models are none of ours.
    """
    channels = read_config(place, "vae", "config.json").get("latent_channels", LATENT_CHANNELS)
    if read_config(place, "unet", "config.json").get("in_channels") != channels:
        return "", ""
    text = read_config(place, "text_encoder", "config.json")
    return read_pipeline_name(place), str(text.get("hidden_act", "quick_gelu"))


def load_pipeline(
    place: Path, dtype: torch.dtype, made: Any, networks: tuple[str, ...] = STABLE, **given: Any
) -> Any:
    """Load a folder with these networks. Nothing is downloaded, nothing unpickled."""
    folders = [place / part for part in networks]
    safe = [[file.name for file in folder.glob("*.safetensors")] for folder in folders]
    if not all(safe):
        raise JobError("base_pickle", base=place.name)
    variant = "fp16" if all(".fp16." in name for name in chain(*safe)) else None
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
    try:
        return made.from_pretrained(
            place,
            dtype=dtype,
            variant=variant,
            use_safetensors=True,
            local_files_only=True,
            **given,
        )
    except (OSError, ValueError, RuntimeError, KeyError) as broken:
        raise JobError("base_broken", base=place.name) from broken


def is_plain_name(name: str) -> bool:
    """Return whether a name is one name, not a path out of a folder or a pattern."""
    return bool(name) and name == Path(name).name and not set(name) & set("*?[]\0")
