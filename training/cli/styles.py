"""`safelight inspect`, `shrink`, `export` and `promote`: what is done with one file."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

from storage import names
from storage.errors import JobError
from training import methods
from training.cli import bases, outputs
from training.cli.arguments import (
    ExportArguments,
    InspectArguments,
    PromoteArguments,
    ShrinkArguments,
)
from training.modelfiles import hub
from training.settings import TrainingSettings
from training.styles import header
from training.styles.inspect import inspect_file

HASHES_BYTES = 400  #: of the hashes in a header


def inspect(given: InspectArguments, _: TrainingSettings) -> dict[str, Any]:
    """Return what a style's file says of itself, and which programs it works in."""
    return {"kind": "inspected"} | inspect_file(given.file)


def promote(given: PromoteArguments, settings: TrainingSettings) -> dict[str, Any]:
    """Turn a whole model into a base on this machine."""
    from training.bases import promote as model  # noqa: PLC0415 - torch, and only this command needs it

    name, registry = names.clean_name(given.name), bases.open_registry(settings)
    if not given.overwrite:
        taken = {base.name for base in registry.list_bases()}
        name = next(each for each in outputs.number_names(name) if each not in taken)
    place = model.promote_model(given.file, name, registry, overwrite=given.overwrite)
    return {"kind": "promoted", "base": name, "bytes": hub.count_bytes(place)}


def export(given: ExportArguments, settings: TrainingSettings) -> dict[str, Any]:
    """Write a whole model as a folder of diffusers, another file as its method exports it."""
    from training.bases import promote as model  # noqa: PLC0415 - torch, and only here
    from training.styles import writer  # noqa: PLC0415 - torch, and only here

    given.out.mkdir(parents=True, exist_ok=True)
    content = header.read_sound_header(given.file)
    metadata = header.read_metadata(content)
    method = methods.find(header.find_method(content.keys() - {"__metadata__"}))
    if method.TRAITS.marks.model:
        place, overwrite = given.out / given.file.stem, given.overwrite
        place = outputs.find_free_folder(place, hub.INDEX, overwrite=overwrite)
        registry = bases.open_registry(settings)
        model.write_model_folder(given.file, place, registry, overwrite=overwrite)
        return {"kind": "exported", "file": str(place), "bytes": hub.count_bytes(place)}
    export_files = getattr(method, "export", None)
    if export_files is None:
        raise JobError("export_kind")
    files = export_files(writer.read_tensors(given.file), metadata, given.file.stem)
    paths = [
        outputs.keep_numbered(
            partial(write_bytes, content), given.out / name, overwrite=given.overwrite
        )
        for name, content in files.items()
    ]
    size = sum(path.stat().st_size for path in paths)
    return {"kind": "exported", "file": ", ".join(map(str, paths)), "bytes": size}


def write_bytes(content: bytes, path: Path) -> None:
    """Write a file."""
    path.write_bytes(content)


def shrink(given: ShrinkArguments, _: TrainingSettings) -> dict[str, Any]:
    """Write a smaller copy of a LoRA; the line has the share of its effect that is lost."""
    from training.styles import foreign, writer  # noqa: PLC0415 - torch, and only this command needs it
    from training.styles.resize import shrink  # noqa: PLC0415 - the same

    given.out.mkdir(parents=True, exist_ok=True)
    content = header.read_sound_header(given.file)
    made = header.read_metadata(content)
    tensors, target = writer.read_tensors(given.file), round(given.to * 2**20)
    told = {key: text for key, text in made.items() if key != foreign.ADAPTER_METADATA}
    room = len(json.dumps(told, ensure_ascii=False).encode()) + HASHES_BYTES
    if room >= target:
        raise JobError("shrink_header", kilobytes=max(1, room // 1024))
    smaller, made = shrink(tensors, target - room, foreign.read_told(given.file, content)), told
    made |= {"ss_network_dim": str(smaller.rank), "ss_network_alpha": str(smaller.rank)}
    path = given.out / given.file.name
    if given.overwrite and path.exists() and path.samefile(given.file):
        raise JobError("shrink_same")
    tensors = writer.round_tensors(smaller.tensors)
    path = outputs.keep_numbered(
        lambda part: writer.write_tensors(part, tensors, made), path, overwrite=given.overwrite
    )
    size = path.stat().st_size
    return {
        "kind": "shrunk", "file": str(path), "bytes": size, "rank": smaller.rank,
        "error": smaller.error,
    }  # fmt: skip
