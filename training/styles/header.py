"""What a style's file says of itself, read without torch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from storage.errors import JobError
from training.networks.keys import KOHYA, cut

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

#: of what stands after a layer's name in some key of each kind; a DoRA is a LoRA with one more
BEGINS = {
    "dora": "dora_scale",
    "lora": "lora_down",
    "loha": "hada_w1",
    "lokr": "lokr_w1",
    "oft": "oft_blocks",
}
#: of the name itself
WHOLE: dict[str, str | tuple[str, ...]] = {
    "pivotal": "bundle_emb.",
    "hypernetwork": "hypernetwork.",
    "finetune": (
        "model.diffusion_model.",
        "cap_pad_token",
    ),  # a Z-Image's names begin with nothing
}
WORDS = ({"emb_params"}, {"clip_l", "clip_g"})  #: all the names of an embedding's tensors
LONGEST = 100_000_000  #: bytes of a header that the format allows


def said(file: Path) -> dict[str, str]:
    """Return the method and trigger of a style: ours by its recipe, others by their tensors."""
    header = read(file)
    told = header.pop("__metadata__", {})
    try:
        recipe = json.loads(told["safelight.recipe"])
        return {"method": str(recipe["method"]), "trigger": str(recipe["trigger"])}
    except (KeyError, ValueError, TypeError):
        pass
    method = kind(header)
    return {"method": method, "trigger": file.stem if method == "embedding" else ""}


def made(file: Path) -> str:
    """Name the base that a style of ours was trained on; "" for others."""
    try:
        recipe = json.loads(metadata(read(file))["safelight.recipe"])
        return str(recipe["base"])[:100]
    except (KeyError, ValueError, TypeError):
        return ""


def metadata(header: dict[str, Any]) -> dict[str, str]:
    """Give what a header tells beside its tensors: words by words, as the format has it."""
    told = header.get("__metadata__", {})
    if not isinstance(told, dict) or not all(isinstance(value, str) for value in told.values()):
        raise JobError("style_broken", reason="its metadata is not text")
    return told


def kind(names: Collection[str]) -> str:
    """Tell from the names of its tensors what a file is."""
    if set(names) in WORDS:
        return "embedding"
    ends = {KOHYA.get(end, end) for _, end in map(cut, names)}
    for method, begin in WHOLE.items():
        if any(name.startswith(begin) for name in names):
            return method
    for method, begin in BEGINS.items():
        if any(end.startswith(begin) for end in ends):
            return method
    raise JobError("style_broken", reason="neither a LoRA nor an embedding")


def read(file: Path) -> dict[str, Any]:
    """Read the header of a safetensors file."""
    try:
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            header = json.loads(opened.read(length)) if length <= LONGEST else None
    except FileNotFoundError as missing:
        raise JobError("style_missing") from missing
    except (OSError, ValueError, RecursionError) as broken:
        raise JobError("style_broken", reason="not safetensors") from broken
    if not isinstance(header, dict):
        raise JobError("style_broken", reason="not safetensors")
    return header
