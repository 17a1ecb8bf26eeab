"""Explain why something in the operator's `bases/` is no base, or one that cannot be loaded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from storage.errors import JobError
from training import captioners, families
from training.modelfiles import folder, hub, singlefile, tensorfile
from training.styles import header
from training.styles.architecture import find_architecture
from training.styles.inspect import method_title

PICKLE_SUFFIXES = (".ckpt", ".pt", ".pth", ".bin")
SAFE_SUFFIXES = (".safetensors", ".sft")
MODEL_SUFFIXES = (*SAFE_SUFFIXES, *PICKLE_SUFFIXES, ".gguf")
DENOISERS, CONFIG = ("unet", "transformer"), "config.json"


class Fault(NamedTuple):
    """Why a place is no base: the code of a sentence, and the reason where it has one."""

    code: str
    reason: str = ""

    def to_error(self, place: Path) -> JobError:
        """Return the fault as the error that a job for this base ends with."""
        more = {"reason": self.reason} if self.reason else {}
        return JobError(self.code, base=place.name, **more)


def list_faulty(folder_: Path) -> list[tuple[Path, Fault]]:
    """List what lies in a folder of bases and cannot be used, with its fault."""
    places = sorted(folder_.iterdir()) if folder_.is_dir() else []
    looked = [(place, find_fault(place)) for place in places if may_be_model(place)]
    return [(place, fault) for place, fault in looked if fault is not None]


def may_be_model(place: Path) -> bool:
    """Return whether something was meant as a model; hidden files are still being written."""
    if place.name.startswith("."):
        return False
    return place.is_dir() or place.suffix.lower() in MODEL_SUFFIXES


def find_fault(place: Path) -> Fault | None:
    """Return why a file or folder is no usable base or captioner; None if it is one.

    What was found is kept until the place's files change.
    """
    return look_at(place, read_stamp(place))


def read_stamp(place: Path) -> tuple[tuple[str, int, int], ...]:
    """Return sizes and times of a place's files, down to those of its networks."""
    files = [place, *place.glob("*"), *place.glob("*/*")] if place.is_dir() else [place]
    known = ((str(file), read_stat(file)) for file in sorted(files))
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in known if stat)


def read_stat(file: Path) -> os.stat_result | None:
    """Return what the system knows of a file; None for a link to nothing."""
    try:
        return file.stat()
    except OSError:
        return None


@lru_cache(maxsize=256)
def look_at(place: Path, _stamp: tuple[tuple[str, int, int], ...]) -> Fault | None:
    """Look at a place anew."""
    try:
        return next(find_folder_faults(place) if place.is_dir() else find_file_faults(place), None)
    except tensorfile.BadFileError as bad:
        return Fault("base_unusable", bad.reason)
    except OSError as closed:
        return Fault("base_unusable", f"it can't be read ({closed.strerror})")


def find_file_faults(place: Path) -> Iterator[Fault]:
    """Yield what is wrong with a file."""
    if not place.exists():
        yield Fault("base_unusable", "it is a link to nothing")
    elif place.suffix.lower() in PICKLE_SUFFIXES:
        yield Fault("base_pickle")
    else:
        content = tensorfile.read_header(place)  # a pickle by another name is none, either
        if place.suffix.lower() not in SAFE_SUFFIXES or place.suffix != ".safetensors":
            yield Fault("base_unusable", "its name doesn't end in .safetensors")
        elif not is_recognised(place):
            yield name_other_file(place, content)


def is_recognised(place: Path) -> bool:
    """Return whether some family takes a place for a base of its own."""
    return any(family.recognises(place) for family in families.walk().values())


def name_other_file(place: Path, content: dict[str, Any]) -> Fault:
    """Return what a sound file is that is no whole model."""
    if what := singlefile.find_fault(place):
        return Fault(f"base_{what}")
    made, title = find_architecture(content).title, ""
    try:
        method = header.find_method(content.keys() - {tensorfile.METADATA})
        title = method_title(method)
    except JobError:
        pass
    if title:
        return Fault("base_style", f"{title} for {made}" if made else title)
    reason = f"it is made for {made}" if made else "it is no model of a kind that is known"
    return Fault("base_unusable", reason)


def find_folder_faults(place: Path) -> Iterator[Fault]:
    """Yield what is wrong with a folder."""
    if captioners.find_name(place) is not None:
        return
    index = folder.read_config(place, hub.INDEX)
    if not index:
        exists = (place / hub.INDEX).exists()
        reason = f"its {hub.INDEX} can't be read" if exists else f"it has no {hub.INDEX}"
        yield Fault("base_unusable", f"{reason}, so it is no folder of diffusers")
    elif is_recognised(place):
        yield from find_network_faults(place, index)
    elif folder.read_config(place, "unet", "config.json").get("in_channels") == 9:
        yield Fault("base_inpaint")
    else:
        yield from find_network_faults(place, index)
        kind = tensorfile.shorten(folder.read_pipeline_name(place))
        yield Fault("base_unusable", f"it is a {kind}, which isn't supported")


def find_network_faults(place: Path, index: dict[str, Any]) -> Iterator[Fault]:
    """Yield what is wrong with the networks of a folder: missing, pickled or damaged files."""
    for part, named in index.items():
        if not isinstance(named, list) or None in named or part in hub.WATCHERS:
            continue
        inside = place / part
        if not folder.is_plain_name(part) or not inside.is_dir():
            yield Fault("base_unusable", f"it has no folder {tensorfile.shorten(part)}")
        elif part in DENOISERS and not (inside / CONFIG).is_file():
            yield from find_weight_faults(inside)
            yield Fault("base_unusable", f"its {part} has no {CONFIG}")
        elif (inside / CONFIG).is_file() and "okenizer" not in str(named[-1]):
            yield from find_weight_faults(inside)


def find_weight_faults(inside: Path) -> Iterator[Fault]:
    """Yield what is wrong with the weights of a network."""
    files = sorted(inside.glob("*.safetensors"))
    if not files:
        pickled = any(file.suffix in PICKLE_SUFFIXES for file in inside.iterdir())
        yield (
            Fault("base_pickle")
            if pickled
            else Fault("base_unusable", f"its {inside.name} has no .safetensors file")
        )
    for listing in sorted(inside.glob("*.safetensors.index*.json")):
        for shard in sorted(read_shards(listing)):
            if not folder.is_plain_name(shard):
                yield Fault("base_unusable", f"its {inside.name} has files outside of its folder")
            elif not (inside / shard).is_file():
                missing = f"{inside.name}/{tensorfile.shorten(shard)}"
                yield Fault("base_unusable", f"its file {missing} is missing")
    for file in files:
        try:
            tensorfile.read_header(file)
        except tensorfile.BadFileError as bad:
            yield Fault("base_unusable", f"in {inside.name}/{file.name}, {bad.reason}")


def read_shards(listing: Path) -> set[str]:
    """Return the files that an index says a network's weights lie in."""
    found = folder.read_config(listing).get("weight_map")
    if not isinstance(found, dict):
        raise tensorfile.BadFileError(f"its {listing.name} can't be read")
    return {str(shard) for shard in found.values()}
