"""Writing a whole model's file as a diffusers folder, to export it or to start from it.

A model to start from becomes a base of the operator: its entry, in the form of `bases.toml`, is
written beside its networks.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from storage.errors import JobError
from storage.records import Base
from training.bases import lists
from training.bases.cache import BaseCache
from training.bases.registry import BaseRegistry
from training.device import HostMemory
from training.lazy import diffusers
from training.methods import _full
from training.modelfiles.folder import is_plain_name
from training.styles import header, writer


def write_model_folder(
    file: Path,
    place: Path,
    registry: BaseRegistry,
    entry: Base | None = None,
    *,
    overwrite: bool = False,
) -> None:
    """Write a model as a folder of fp16 networks, whole or not at all.

    The file holds the networks; tokenizers and noise schedule come from the base it began as.
    An entry is written beside them as what is known of the base. With `overwrite`, a folder that
    is there is replaced at the end.
    """
    if place.exists() and not overwrite:
        raise JobError("base_taken", base=place.name)
    fresh = BaseCache(registry.folder, HostMemory(), registry.list_file)  # to overwrite
    with fresh.borrow(origin_of(file)) as family:
        tensors = writer.read_tensors(file)
        _full.check(family.networks, tensors)
        content = family.networks.model.from_single_file(tensors)
        for key, spot in _full.parameter_slots(family.networks).items():
            spot.original.data = content[key]
        write_pipeline(family.networks.model.pipeline, place, entry)


def origin_of(file: Path) -> str:
    """Return the name of the base that one of our models began as; JobError for other files."""
    try:
        recipe = json.loads(header.read_metadata(header.read_header(file))["safelight.recipe"])
        name, rank = str(recipe["base"]), int(recipe["rank"])
    except (KeyError, ValueError, TypeError) as foreign:
        raise JobError("model_foreign", file=file.name) from foreign
    if rank:
        raise JobError("model_foreign", file=file.name)
    return name


def write_pipeline(pipeline: Any, place: Path, entry: Base | None) -> None:
    """Write a pipeline in fp16, with its entry as a base if it has one."""
    diffusers.utils.logging.disable_progress_bar()
    part, old = (place.with_name(f".{place.name}.{what}") for what in ("part", "old"))
    shutil.rmtree(part, ignore_errors=True)
    for network in pipeline.components.values():
        if hasattr(network, "parameters"):
            network.half()
        if hasattr(network, "register_to_config"):  # the path it was read from is private
            network.register_to_config(_name_or_path="")
    pipeline.register_to_config(_name_or_path="")
    try:
        pipeline.save_pretrained(part)
        if entry is not None:
            (part / lists.BASE_FILE).write_text(lists.format_entry(entry), encoding="utf-8")
        if place.exists():
            place.rename(old)
        part.rename(place)
    finally:
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def promote_model(
    file: Path, name: str, registry: BaseRegistry, *, overwrite: bool = False
) -> Path:
    """Write a model into the operator's folder as a base of that name; return its folder.

    Raises JobError "base_taken" if there is one; with `overwrite`, only if it was not made here.
    """
    if registry.folder is None or not is_plain_name(name) or name.startswith("."):
        raise JobError("name_bad", most=lists.MAX_NAME_CHARS)
    place = registry.folder / name
    replaces = overwrite and (place / lists.BASE_FILE).is_file()
    if any(base.name == name for base in registry.list_bases()) and not replaces:
        raise JobError("base_taken", base=name)
    base = registry.find(origin_of(file))
    entry = replace(base, name=name, title=name, source=name, good=f"made here, from {base.title}")
    write_model_folder(file, place, registry, entry, overwrite=replaces)
    return place
