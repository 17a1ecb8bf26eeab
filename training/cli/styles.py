"""What is done with one finished file for a shell: it is told of, shrunk, exported or promoted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from storage import names
from storage.errors import JobError
from storage.folders import write_whole
from training import methods
from training.cli import bases
from training.styles import header
from training.styles.inspect import inspected

if TYPE_CHECKING:
    import argparse

    from training.settings import TrainingSettings

HASHES = 400  # bytes of a header's hashes


def handled(chosen: argparse.Namespace, settings: TrainingSettings) -> dict[str, Any]:
    """Do with a file what a command says."""
    if "out" in chosen:
        chosen.out.mkdir(parents=True, exist_ok=True)
    if chosen.command in {"export", "promote"}:
        return {"export": export, "promote": promote}[chosen.command](chosen, settings)
    return {"inspect": inspect, "shrink": shrink}[chosen.command](chosen)


def inspect(chosen: argparse.Namespace) -> dict[str, Any]:
    """Tell what a style's file is."""
    return {"kind": "inspected"} | inspected(chosen.file)


def promote(chosen: argparse.Namespace, settings: TrainingSettings) -> dict[str, Any]:
    """Make a whole model a base of this machine."""
    from training.bases import promote as model  # noqa: PLC0415 - torch, and only this command needs it

    name = names.clean_name(chosen.name)
    place = model.promote_model(chosen.file, name, bases.stock(settings))
    return {"kind": "promoted", "base": name, "bytes": model.folder_bytes(place)}


def export(chosen: argparse.Namespace, settings: TrainingSettings) -> dict[str, Any]:
    """Write a whole model as a folder of diffusers, another file as its method exports it."""
    from training.bases import promote as model  # noqa: PLC0415 - torch, and only here
    from training.styles import writer  # noqa: PLC0415 - torch, and only here

    content = header.read(chosen.file)
    metadata = header.metadata(content)
    method = methods.find(header.find_method(content.keys() - {"__metadata__"}))
    if method.TRAITS.marks.model:
        place = chosen.out / chosen.file.stem
        model.write_model_folder(chosen.file, place, bases.stock(settings))
        return {"kind": "exported", "file": place.name, "bytes": model.folder_bytes(place)}
    exported, suffix = getattr(method, "export", None), getattr(method, "EXPORT_SUFFIX", "")
    if exported is None:
        raise JobError("export_kind")
    path = chosen.out / f"{chosen.file.stem}{suffix}"
    write_whole(path, exported(writer.tensors(chosen.file), metadata, chosen.file.stem))
    return {"kind": "exported", "file": path.name, "bytes": path.stat().st_size}


def shrink(chosen: argparse.Namespace) -> dict[str, Any]:
    """Write a smaller copy of a LoRA and tell what it costs."""
    from training.styles import writer  # noqa: PLC0415 - torch, and only this command needs it
    from training.styles.resize import shrunk  # noqa: PLC0415 - the same

    made = header.metadata(header.read(chosen.file))
    room = sum(len(key) + len(value) for key, value in made.items()) * 2 + HASHES
    found = shrunk(writer.tensors(chosen.file), round(chosen.to * 2**20) - room)
    made |= {"ss_network_dim": str(found.rank), "ss_network_alpha": str(found.rank)}
    path = chosen.out / chosen.file.name
    if path.exists() and path.samefile(chosen.file):
        raise JobError("shrink_same")
    writer.pour(path, writer.rounded(found.tensors), made)
    size = path.stat().st_size
    return {
        "kind": "shrunk", "file": path.name, "bytes": size, "rank": found.rank,
        "error": found.error,
    }  # fmt: skip
