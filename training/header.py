"""What a style's file says of itself, read without torch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from storage.errors import JobError

if TYPE_CHECKING:
    from pathlib import Path

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
    if "emb_params" in header:
        return {"method": "embedding", "trigger": file.stem}
    if any(".lora_down." in name for name in header):
        return {"method": "lora", "trigger": ""}
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
