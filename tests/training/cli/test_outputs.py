"""What a command made is kept, and what was there stays."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from storage.errors import JobError
from training.cli.output import attempt
from training.cli.outputs import find_free_folder, keep_file, keep_numbered, number_paths

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.smalldisk import SmallDisk


def write(content: str, path: Path) -> None:
    """Write a text."""
    path.write_text(content)


def test_a_taken_name_gets_a_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each further file has the next number, which is told; what was there is untouched."""
    path = tmp_path / "a.b.txt"

    kept = [keep_numbered(partial(write, text), path) for text in "xyz"]

    assert [each.name for each in kept] == ["a.b.txt", "a.b-2.txt", "a.b-3.txt"]
    assert [each.read_text() for each in kept] == ["x", "y", "z"]
    assert sorted(tmp_path.iterdir()) == sorted(kept)
    assert "a.b-3.txt" in capsys.readouterr().out


def test_overwriting_is_asked_for(tmp_path: Path) -> None:
    """With `overwrite` the file is replaced whole."""
    path = tmp_path / "a.txt"
    path.write_text("x")

    assert keep_file(partial(write, "y"), number_paths(path), overwrite=True) == path
    assert [path.read_text()] == [each.read_text() for each in tmp_path.iterdir()]


def test_nothing_is_kept_without_a_free_name(tmp_path: Path) -> None:
    """Where the one name is taken, even by a folder, nothing is written."""
    (tmp_path / "a.txt").mkdir()

    assert keep_file(partial(write, "y"), [tmp_path / "a.txt"]) is None
    assert [each.name for each in tmp_path.iterdir()] == ["a.txt"]


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    """A write that fails leaves neither a file nor a half one."""

    def fail(path: Path) -> None:
        path.write_text("half")
        raise JobError("disk_full")

    with pytest.raises(JobError):
        keep_file(fail, [tmp_path / "a.txt"])

    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing(small_disk: SmallDisk) -> None:
    """On a full disk a command fails by that name, without a half file."""
    small_disk.fill(left=4096)

    def write_much() -> dict[str, Any]:
        keep_file(lambda path: path.write_bytes(bytes(1 << 20)), [small_disk.path / "a.txt"])
        return {}

    assert attempt(write_much)["code"] == "disk_full"
    assert [each.name for each in small_disk.path.iterdir()] == ["filler"]


def test_folders(tmp_path: Path) -> None:
    """A taken folder gets a number; only one with the marker may be replaced."""
    place = tmp_path / "model"
    place.mkdir()

    assert find_free_folder(tmp_path / "other", "index.json").name == "other"
    assert find_free_folder(place, "index.json").name == "model-2"
    with pytest.raises(JobError, match="folder_foreign"):
        find_free_folder(place, "index.json", overwrite=True)
    (place / "index.json").touch()
    assert find_free_folder(place, "index.json", overwrite=True) == place
