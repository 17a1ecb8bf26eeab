"""Writing a whole model's file as a diffusers folder, to export it or to start from it.

A model to start from becomes a base of the operator: its entry, in the form of `bases.toml`, is
written beside its networks.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from storage.errors import JobError
from training.bases import lists
from training.bases.cache import BaseCache
from training.bases.registry import is_plain_name
from training.device import HostMemory
from training.lazy import diffusers
from training.methods import _full
from training.styles import header, writer

if TYPE_CHECKING:
    from pathlib import Path

    from storage.records import Base


def write_model_folder(
    file: Path, place: Path, known: BaseCache, beside: Base | None = None
) -> None:
    """Write a model as a folder of fp16 networks, whole or not at all; `beside` tells of it there.

    The file holds the networks; tokenizers and the noise come from the base that it began as.
    """
    if place.exists():
        raise JobError("base_taken", base=place.name)
    fresh = BaseCache(known.folder, HostMemory(), known.list_file)  # its networks are overwritten
    with fresh.borrow(origin_of(file)) as family:
        tensors = writer.tensors(file)
        _full.check(family.networks, tensors)
        content = family.networks.model.parted(tensors)
        for key, spot in _full.places(family.networks).items():
            spot.own.data = content[key]
        write_pipeline(family.networks.model.pipeline, place, beside)


def origin_of(file: Path) -> str:
    """Return the base that one of our models began as."""
    try:
        recipe = json.loads(header.metadata(header.read(file))["safelight.recipe"])
        name, rank = str(recipe["base"]), int(recipe["rank"])
    except (KeyError, ValueError, TypeError) as foreign:
        raise JobError("model_foreign", file=file.name) from foreign
    if rank:
        raise JobError("model_foreign", file=file.name)
    return name


def write_pipeline(pipeline: Any, place: Path, beside: Base | None) -> None:
    """Write a pipeline in fp16, and what is known of it as a base."""
    diffusers.utils.logging.disable_progress_bar()
    part = place.with_name(f".{place.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    for network in pipeline.components.values():
        if hasattr(network, "parameters"):
            network.half()
        if hasattr(network, "register_to_config"):  # where it was read is nobody's business
            network.register_to_config(_name_or_path="")
    pipeline.register_to_config(_name_or_path="")
    try:
        pipeline.save_pretrained(part)
        if beside is not None:
            (part / lists.BASE_FILE).write_text(lists.format_entry(beside), encoding="utf-8")
        part.rename(place)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def promote_model(file: Path, name: str, known: BaseCache) -> Path:
    """Make a model a base of the operator's own: one can train and draw from it by its name."""
    if known.folder is None or not is_plain_name(name) or name.startswith("."):
        raise JobError("name_bad", most=lists.MAX_NAME_CHARS)
    if any(base.name == name for base in known.list_bases()):
        raise JobError("base_taken", base=name)
    place = known.folder / name
    base = known.find(origin_of(file))
    made = replace(base, name=name, title=name, source=name, good=f"made here, from {base.title}")
    write_model_folder(file, place, known, made)
    return place


def folder_bytes(place: Path) -> int:
    """Sum up the bytes of a folder."""
    return sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
