"""The models that ship with Safelight: where they lie and whether they are whole."""

from __future__ import annotations

import hashlib
from pathlib import Path

WEIGHTS = Path(__file__).with_name("weights")
SUMS = "SHA256SUMS"


def folder(name: str) -> Path:
    """Give the folder of a shipped model: "diffusion" or "blip"."""
    path = WEIGHTS / name
    if not path.is_dir():
        raise FileNotFoundError(f"There is no embedded model {name!r} in {WEIGHTS}.")
    return path


def digest(path: Path) -> str:
    """Hash one file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def verify(weights: Path = WEIGHTS) -> str | None:
    """Name the first missing or damaged file in a sentence, or give None when all are whole."""
    sums = weights / SUMS
    if not sums.is_file():
        return f"The list of embedded files, {sums}, is missing; reinstall Safelight."
    for line in sums.read_text(encoding="utf-8").splitlines():
        expected, _, name = line.partition("  ")
        path = weights / name
        if not path.is_file():
            return f"The embedded file {name} is missing; reinstall Safelight."
        if digest(path) != expected:
            return f"The embedded file {name} is damaged; reinstall Safelight."
    return None
