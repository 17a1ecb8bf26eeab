"""Atomic writes, and the paths in the data folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from storage.folders import Home, JobFolder, replacing, write_json, write_whole


def test_write(tmp_path: Path) -> None:
    """A write creates missing folders, replaces the old file, and leaves nothing beside it."""
    path = tmp_path / "a" / "b.txt"

    write_whole(path, b"one")
    write_whole(path, b"two")

    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


def test_power_cut(tmp_path: Path, disk_calls: list[str]) -> None:
    """The content is on the disk before the new name: a power cut leaves no empty file."""
    write_whole(tmp_path / "a.txt", b"new")

    assert disk_calls == [f"fsync .a.txt.{os.getpid()}.part", "replace a.txt"]


def test_failed_write(tmp_path: Path) -> None:
    """A write that fails leaves the old file as it was."""
    path = tmp_path / "a.txt"
    write_whole(path, b"old")

    def broken() -> None:
        with replacing(path) as part:
            part.write_bytes(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        broken()

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_request(tmp_path: Path) -> None:
    """A job folder reads its request."""
    folder = JobFolder(tmp_path)
    write_json(folder.request_file, {"kind": "train", "name": "Käthe"})

    assert folder.read_request() == {"kind": "train", "name": "Käthe"}


def test_paths(tmp_path: Path) -> None:
    """All paths are inside the data folder: photos by digest, jobs and styles by id."""
    home = Home(tmp_path)

    paths = [
        home.photo_file("abcd"),
        home.preview_file("abcd"),
        home.job_folder("7-ab").log_file,
        home.style_file("3-cd", "dog"),
    ]

    assert [str(path.relative_to(tmp_path)) for path in paths] == [
        "photos/ab/abcd.png",
        "previews/ab/abcd.webp",
        "runs/7-ab/log.txt",
        "styles/3-cd/dog.safetensors",
    ]
