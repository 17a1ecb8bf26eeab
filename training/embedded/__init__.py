"""The models that ship with Safelight: their folders, their checksums, the words they know."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from storage.errors import JobError

WEIGHTS = Path(__file__).with_name("weights")
WORDS = WEIGHTS.with_name("words.json")  #: written by training.pretraining.export
SUMS = "SHA256SUMS"


def find_folder(name: str) -> Path:
    """Return the folder of a shipped model, "diffusion" or "blip"."""
    path = WEIGHTS / name
    if not path.is_dir():
        raise FileNotFoundError(f"There is no embedded model {name!r} in {WEIGHTS}.")
    return path


@cache
def known_words() -> tuple[str, ...]:
    """Return the everyday things that the shipped base can draw, as people type them."""
    return tuple(json.loads(WORDS.read_text(encoding="utf-8")))


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@cache
def verify_folder(name: str, weights: Path = WEIGHTS) -> Path:
    """Return a shipped model's folder after checking its files, once a process.

    25 MB take 16 ms. Raises JobError, naming the file, if one is missing or damaged.
    """
    for file, expected in read_sums(name, weights):
        path = weights / file
        if not path.is_file():
            raise JobError("embedded_missing", file=file)
        if hash_file(path) != expected:
            raise JobError("embedded_damaged", file=file)
    return weights / name


def read_sums(name: str, weights: Path) -> list[tuple[str, str]]:
    """Return the files of a model, each with its SHA-256."""
    sums = weights / SUMS
    if not sums.is_file():
        raise JobError("embedded_missing", file=SUMS)
    lines = sums.read_text(encoding="utf-8", errors="replace").splitlines()
    pairs = [(file, expected) for expected, _, file in (line.partition("  ") for line in lines)]
    found = [pair for pair in pairs if pair[0].startswith(f"{name}/")]
    if not found:
        raise JobError("embedded_damaged", file=SUMS)
    return found
