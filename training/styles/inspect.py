"""What a style's file tells of itself: `safelight inspect`, without torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from training import methods
from training.modelfiles.tensorfile import METADATA
from training.recipe.names import current_names
from training.styles.architecture import STABLE, find_architecture
from training.styles.compatibility import find_needs, incompatibilities
from training.styles.header import read_metadata, read_method_and_trigger, read_sound_header
from training.styles.thumbnail import thumbnail_bytes

STABLE_FAMILY = "sd1"  #: of Stable Diffusion 1 or 2: programs read the names of both alike
UNKNOWN = "unknown"  #: what a file was made for, if nothing tells

#: our words for what files of kohya's trainers and of modelspec say, the first one that is there
FIELDS = {
    "name": ("ss_output_name", "modelspec.title"),
    "base": ("ss_sd_model_name", "ss_base_model_version"),
    "architecture": ("modelspec.architecture", "ss_base_model_version"),
    "date": ("modelspec.date",),
    "steps": ("ss_steps", "ss_max_train_steps"),
    "learning_rate": ("ss_learning_rate",),
    "batch_size": ("ss_total_batch_size",),
    "seed": ("ss_seed",),
    "photos": ("ss_num_train_images",),
    "rank": ("ss_network_dim",),
    "alpha": ("ss_network_alpha",),
    "resolution": ("modelspec.resolution", "ss_resolution"),
}


def inspect_file(file: Path) -> dict[str, Any]:
    """Read a header into facts: what made the file, what it is, and which programs load it."""
    header = read_sound_header(file)
    made_for = find_architecture(header)
    made = read_method_and_trigger(file)
    told = read_metadata(header)
    header.pop(METADATA, None)
    facts: dict[str, Any] = {
        fact: next(str(told[key])[:80] for key in keys if key in told)
        for fact, keys in FIELDS.items()
        if any(key in told for key in keys)
    }
    recipe = current_names(read_own_json(told, "recipe"))
    phrase = str(told.get("modelspec.trigger_phrase", ""))
    trigger = phrase if recipe.get("other_concepts") else made["trigger"] or phrase
    family = str(recipe.get("family", "")) or made_for.family
    known = family or (STABLE_FAMILY if made_for.title == STABLE else "")
    found = incompatibilities(header, known) if known else {}
    needs = find_needs(header, known) if known else {}
    return facts | {
        "file": file.name,
        "bytes": file.stat().st_size,
        "made_for": made_for.title or family or UNKNOWN,
        "method": made["method"],
        "method_title": method_title(made["method"]),
        "trigger": trigger[:80],
        "concept": str(recipe.get("concept", "")),
        "fingerprint": str(recipe.get("base_fingerprint", ""))[:12],
        "versions": format_versions(told),
        "thumbnail": thumbnail_bytes(told),
        "tensors": len(header),
        "loads": [
            program for program, amiss in found.items() if not amiss and program not in needs
        ],
        "needs": needs,
        "amiss": {program: amiss for program, amiss in found.items() if amiss},
    }


def method_title(method: str) -> str:
    """Return what people call a method, also one that another version of ours had."""
    known = methods.walk().get(method)
    return known.METHOD.title if known else method[:80]


def format_versions(told: dict[str, str]) -> str:
    """Name the programs that made a file of ours."""
    return ", ".join(
        f"{name} {version}" for name, version in read_own_json(told, "versions").items()
    )[:200]


def read_own_json(told: dict[str, str], what: str) -> dict[str, Any]:
    """Read what only our own files tell: their recipe, or the versions of what made them."""
    try:
        value = json.loads(told[f"safelight.{what}"])
    except (KeyError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
