"""What is done with one finished file for a shell: it is told of, shrunk, exported or promoted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from storage import names
from storage.errors import JobError
from storage.folders import write_whole
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
    """Write a hypernetwork as AUTOMATIC1111 reads it, a whole model as diffusers keeps them."""
    from training import pt  # noqa: PLC0415 - torch, and only here
    from training.bases import promote as model  # noqa: PLC0415 - torch, and only here
    from training.styles import writer  # noqa: PLC0415 - torch, and only here

    content = header.read(chosen.file)
    made = header.metadata(content)
    if header.kind(content.keys() - {"__metadata__"}) == "finetune":
        place = chosen.out / chosen.file.stem
        model.write_model_folder(chosen.file, place, bases.stock(settings))
        return {"kind": "exported", "file": place.name, "bytes": model.folder_bytes(place)}
    path = chosen.out / f"{chosen.file.stem}.pt"
    write_whole(path, pt.exported(writer.tensors(chosen.file), made, chosen.file.stem))
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
