"""What a style's file says of itself, read without torch."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from storage.errors import JobError
from training import families, methods
from training.networks.keys import KOHYA_BY_PEFT, split_key

MAX_HEADER_BYTES = 100_000_000  #: bytes of a header that the format allows


def read_method_and_trigger(file: Path) -> dict[str, str]:
    """Return the method and trigger of a style: ours by its recipe, others by their tensors."""
    header = read_header(file)
    told = header.pop("__metadata__", {})
    try:
        recipe = json.loads(told["safelight.recipe"])
        return {"method": str(recipe["method"]), "trigger": str(recipe["trigger"])}
    except (KeyError, ValueError, TypeError):
        pass
    method = find_method(header)
    by_file = methods.walk()[method].TRAITS.named_by_file
    return {"method": method, "trigger": file.stem if by_file else ""}


def read_base(file: Path) -> str:
    """Name the base that a style of ours was trained on; "" for others."""
    try:
        recipe = json.loads(read_metadata(read_header(file))["safelight.recipe"])
        return str(recipe["base"])[:100]
    except (KeyError, ValueError, TypeError):
        return ""


def read_metadata(header: dict[str, Any]) -> dict[str, str]:
    """Return a header's metadata; raise JobError("style_broken") if it is not text."""
    told = header.get("__metadata__", {})
    if not isinstance(told, dict) or not all(isinstance(value, str) for value in told.values()):
        raise JobError("style_broken", reason="its metadata is not text")
    return told


def find_method(names: Collection[str]) -> str:
    """Return the method that makes files with tensors of these names.

    Raises JobError("style_broken") for a file that is no method's.
    """
    ends = {KOHYA_BY_PEFT.get(end, end) for _, end in map(split_key, names)}
    model = tuple(start for module in families.walk().values() for start in module.FILES.model)
    whole = any(name.startswith(model) for name in names)
    surest, found = 0, ""
    for method, module in methods.walk().items():
        marks = module.TRAITS.marks
        sure = marks.match(names, ends) or 50 * (marks.model and whole)
        if sure > surest:
            surest, found = sure, method
    if not found:
        raise JobError("style_broken", reason="neither a LoRA nor an embedding")
    return found


def read_header(file: Path) -> dict[str, Any]:
    """Read the header of a safetensors file."""
    try:
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            header = json.loads(opened.read(length)) if length <= MAX_HEADER_BYTES else None
    except FileNotFoundError as missing:
        raise JobError("style_missing", file=file.name) from missing
    except (OSError, ValueError, RecursionError) as broken:
        raise JobError("style_foreign", file=file.name) from broken
    if not isinstance(header, dict):
        raise JobError("style_foreign", file=file.name)
    return header
