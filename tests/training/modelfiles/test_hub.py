"""A model in the hub's cache counts as installed if it is complete, whoever fetched it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from training.modelfiles import hub

if TYPE_CHECKING:
    from pathlib import Path

NAME, COMMIT = "maker/model", "a" * 40
INDEX = json.dumps(
    {"unet": ["diffusers", "X"], "tokenizer": ["transformers", "Y"], "safety_checker": ["z", "Z"]}
)
WHOLE = {
    "model_index.json": INDEX,
    "unet/config.json": "{}",
    "unet/diffusion_pytorch_model.safetensors": "w",
    "tokenizer/vocab.json": "{}",
}


def write_cache(cache: Path, files: dict[str, str]) -> Path:
    """Write files in the layout of the hub's client."""
    place = hub.cache_folder(NAME, cache) / "snapshots" / COMMIT
    for name, content in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    refs = hub.cache_folder(NAME, cache) / "refs"
    refs.mkdir(parents=True, exist_ok=True)
    (refs / "main").write_text(COMMIT)
    return place


@pytest.mark.parametrize(
    ("files", "here"),
    [
        (WHOLE, True),
        ({name: text for name, text in WHOLE.items() if "safetensors" not in name}, False),
        ({name: text for name, text in WHOLE.items() if "tokenizer" not in name}, False),
        ({"model_index.json": "[", "unet/x.safetensors": ""}, False),
        ({"config.json": "{}", "model.safetensors": ""}, True),
        ({"config.json": "{}", "pytorch_model.bin": ""}, False),
    ],
)
def test_others(tmp_path: Path, files: dict[str, str], here: bool) -> None:
    """A model that another program fetched is installed if its networks have safetensors."""
    place = write_cache(tmp_path, files)

    assert hub.find_cached(NAME, tmp_path) == (place if here else None)


@pytest.mark.parametrize(
    ("whole", "files", "here"),
    [
        (True, ["model_index.json"], True),
        (False, ["model_index.json"], False),
        (True, ["x"], False),
    ],
)
def test_noted(tmp_path: Path, whole: bool, files: list[str], here: bool) -> None:
    """A model that we fetched is installed if all its files are still there."""
    place = write_cache(tmp_path, {"model_index.json": INDEX})
    entries = {name: {"bytes": 1, "git": "", "checked": True} for name in files}
    noted = hub.Note(NAME, COMMIT, whole, files=entries)
    hub.write_note(noted, tmp_path)

    assert hub.read_note(NAME, tmp_path) == noted
    assert noted.checked == whole
    assert hub.find_cached(NAME, tmp_path) == (place if here else None)


def test_nothing(tmp_path: Path) -> None:
    """Invalid names, unreadable notes and missing models are not installed."""
    write_cache(tmp_path, {})
    (hub.cache_folder(NAME, tmp_path) / hub.NOTE).write_text("{")

    assert hub.read_note(NAME, tmp_path) is None
    assert hub.find_cached("maker/other", tmp_path) is None
    assert hub.find_cached("..", tmp_path) is None


def test_size(tmp_path: Path) -> None:
    """Bytes are counted for a file, and for a whole folder."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").write_bytes(b"123")

    assert hub.count_bytes(tmp_path) == hub.count_bytes(tmp_path / "a" / "b" / "c") == 3
