"""What a style's file tells of itself: `safelight inspect`, without torch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from training.header import metadata, read, said
from training.loaders import loads

if TYPE_CHECKING:
    from pathlib import Path

#: our words for what files of kohya's trainers and of modelspec say, the first one that is there
FIELDS = {
    "name": ("ss_output_name", "modelspec.title"),
    "base": ("ss_sd_model_name", "ss_base_model_version"),
    "architecture": ("modelspec.architecture", "ss_base_model_version"),
    "date": ("modelspec.date",),
    "steps": ("ss_steps", "ss_max_train_steps"),
    "rate": ("ss_learning_rate",),
    "batch": ("ss_total_batch_size",),
    "seed": ("ss_seed",),
    "photos": ("ss_num_train_images",),
    "rank": ("ss_network_dim",),
    "alpha": ("ss_network_alpha",),
    "resolution": ("modelspec.resolution", "ss_resolution"),
}


def inspected(file: Path) -> dict[str, Any]:
    """Read a header into facts: what made the file, what it is, and which programs load it."""
    made = said(file)
    header = read(file)
    told = metadata(header)
    header.pop("__metadata__", None)
    facts: dict[str, Any] = {
        fact: next(str(told[key])[:80] for key in keys if key in told)
        for fact, keys in FIELDS.items()
        if any(key in told for key in keys)
    }
    trigger = made["trigger"] or str(told.get("modelspec.trigger_phrase", ""))
    ours = recipe(told)
    found = loads(header)
    return facts | {
        "file": file.name,
        "bytes": file.stat().st_size,
        "method": made["method"],
        "trigger": trigger[:80],
        "concept": str(ours.get("concept", "")),
        "tensors": len(header),
        "loads": [program for program, amiss in found.items() if not amiss],
        "amiss": {program: amiss for program, amiss in found.items() if amiss},
    }


def recipe(told: dict[str, str]) -> dict[str, Any]:
    """Read our own recipe, if the file carries one."""
    try:
        value = json.loads(told["safelight.recipe"])
    except (KeyError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
