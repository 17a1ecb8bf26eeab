"""Models of a hub that are on this machine: where they lie, and what is noted beside them.

They lie in the hub's own cache, whoever put them there. What `download` brought has a note there:
the commit, and of each file its size and the hash that the hub gives and that it had.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from storage.folders import write_json
from training.modelfiles import folder

NOTE = "safelight.json"
INDEX, CONFIG = "model_index.json", "config.json"
WATCHERS = ("safety_checker", "feature_extractor", "image_encoder")  # never loaded here


@dataclass(frozen=True, slots=True)
class Note:
    """What was fetched of a repository."""

    source: str
    commit: str
    whole: bool  #: every file came; until then the model is not here
    fetched: float = 0.0  #: unix seconds
    files: dict[str, dict[str, Any]] = field(default_factory=dict)  #: bytes, and sha256 or git

    @property
    def checked(self) -> bool:
        """Whether each file had the hub's own hash."""
        return self.whole and all(file["checked"] for file in self.files.values())


def cache_folder(source: str, cache: Path | None = None) -> Path:
    """Return the folder of a repository in the hub's cache, there or not."""
    from huggingface_hub import constants  # noqa: PLC0415  # half a second
    from huggingface_hub.file_download import repo_folder_name  # noqa: PLC0415  # the same

    name = repo_folder_name(repo_id=source, repo_type="model")
    return (cache or Path(constants.HF_HUB_CACHE)) / name


def read_note(source: str, cache: Path | None = None) -> Note | None:
    """Read what is noted of a repository; None where nothing is, or nothing that can be read."""
    try:
        return Note(**json.loads((cache_folder(source, cache) / NOTE).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_note(noted: Note, cache: Path | None = None) -> None:
    """Write a note beside the files."""
    write_json(cache_folder(noted.source, cache) / NOTE, asdict(noted))


def find_cached(source: str, cache: Path | None = None) -> Path | None:
    """Find a model in the hub's cache; one that was fetched in part is not here."""
    from huggingface_hub import snapshot_download  # noqa: PLC0415  # half a second
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError  # noqa: PLC0415

    noted = read_note(source, cache)
    if noted is not None and not noted.whole:
        return None
    commit = noted.commit if noted else None
    try:
        place = snapshot_download(source, revision=commit, cache_dir=cache, local_files_only=True)
    except (LocalEntryNotFoundError, HFValidationError):
        return None
    found = Path(place)
    if noted is None:
        return found if is_complete(found) else None
    return found if all((found / file).exists() for file in noted.files) else None


def is_complete(place: Path) -> bool:
    """Return whether each network of a folder has its weights as safetensors."""
    index = place / INDEX
    if not index.exists():
        return any(place.glob("*.safetensors"))
    parts = [place / name for name in list_components(index)]
    networks = [part for part in parts if (part / CONFIG).exists()]
    return (
        bool(networks)
        and all(part.is_dir() for part in parts)
        and all(any(part.glob("*.safetensors")) for part in networks)
    )


def list_components(index: Path) -> list[str]:
    """Name the folders of a pipeline that are loaded, by its index."""
    return [
        name
        for name, kind in folder.read_config(index.parent, index.name).items()
        if isinstance(kind, list) and kind and kind[0] and name not in WATCHERS
    ]


def count_bytes(place: Path) -> int:
    """Count the bytes of a file, or of all files in a folder."""
    files = [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]
    return sum(file.stat().st_size for file in files)
