"""Manifests: which files a snapshot has, with their digests and sizes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from storage.errors import UserError

FORMAT = 1  #: of the folder and its manifests
DATABASE = "safelight.db"  #: its path in a snapshot
ROOMS = {"photos", "previews", "styles", "runs"}  #: folders of the data folder that are backed up
#: a time further ahead than this was written by a clock that was wrong
MAX_AHEAD_SECONDS = 86400.0
DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """The content of one file."""

    sha256: str  #: hex; also the name of the object
    bytes: int
    mtime_ns: int = 0  #: when it was copied; an unchanged file is not read again


@dataclass(frozen=True, slots=True)
class Manifest:
    """One snapshot."""

    created: float  #: unix seconds
    version: str  #: of Safelight
    schema: int  #: number of the database's last migration
    erasures: int  #: id of the last erased member that it has forgotten
    files: Mapping[str, StoredFile]  #: by their path in the data folder
    missing: tuple[str, ...] = ()  #: named by rows, but not there when it was taken
    bases: tuple[str, ...] = ()  #: names in `bases/`, which backups leave out

    @property
    def name(self) -> str:
        """The time of the snapshot in UTC, as its file is named: 2026-11-30T040102Z."""
        return name_of(self.created)

    @property
    def bytes(self) -> int:
        """The size of all files."""
        return sum(file.bytes for file in self.files.values())

    def to_json(self) -> str:
        """Return the manifest's file."""
        content = {
            "format": FORMAT, "created": self.created, "version": self.version,
            "schema": self.schema, "erasures": self.erasures, "bases": self.bases,
            "missing": self.missing,
            "files": {
                path: [file.sha256, file.bytes, file.mtime_ns]
                for path, file in sorted(self.files.items())
            },
        }  # fmt: skip
        return json.dumps(content, ensure_ascii=False, indent=0)

    @classmethod
    def from_json(cls, text: str, name: str) -> Manifest:
        """Read a manifest's file.

        Raises UserError: "backup_newer", "backup_path", or "backup_broken" with the file's name.
        """
        try:
            content: dict[str, Any] = json.loads(text)
            if content.pop("format") > FORMAT:
                raise UserError("backup_newer", version=str(content["version"]))
            files = {path: StoredFile(*file) for path, file in content.pop("files").items()}
            content |= {key: tuple(content[key]) for key in ("missing", "bases")}
            read = cls(files=files, **content)
            wrong = [file for file in files.values() if not is_file(file)]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UserError("backup_broken", file=name) from None
        for path in files:
            check_path(path)
        if wrong or DATABASE not in files:
            raise UserError("backup_broken", file=name)
        return read


def name_of(created: float) -> str:
    """Return the name of a snapshot of that time."""
    return datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H%M%SZ")


def is_file(file: StoredFile) -> bool:
    """Return whether a digest and a size can be those of a file."""
    return bool(DIGEST.fullmatch(file.sha256)) and isinstance(file.bytes, int) and file.bytes >= 0


def check_path(path: str) -> None:
    """Raise UserError("backup_path") unless a path leads to where backed-up files are."""
    parts = path.split("/")
    plain = all(part not in {"", ".", ".."} for part in parts) and not re.search(
        r"[\\\x00-\x1f:]", path
    )
    inside = path == DATABASE or (len(parts) > 1 and parts[0] in ROOMS)
    if not (plain and inside) or PurePosixPath(path).is_absolute():
        raise UserError("backup_path", path=path[:200])
