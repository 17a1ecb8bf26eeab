"""What is said of a GPU that torch does not use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from training.driver import amiss, driver

if TYPE_CHECKING:
    from pathlib import Path

CLOSED = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.256.02  Thu May  2 14:37:44 UTC 2024"
OPEN = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.82.07  Release Build"


@pytest.mark.parametrize(("said", "version"), [(CLOSED, "470.256.02"), (OPEN, "580.82.07")])
def test_version(tmp_path: Path, said: str, version: str) -> None:
    """The kernel's module tells its version, the closed one and the open one."""
    place = tmp_path / "version"
    place.write_text(said + "\nGCC version:  gcc version 12.2.0\n")

    assert driver(place) == version


def test_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the module there is no driver; where only its tool is found, its version is not."""
    monkeypatch.setenv("PATH", str(tmp_path))
    none = driver(tmp_path / "version")
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)

    assert none is None
    assert driver(tmp_path / "version") == ""


@pytest.mark.parametrize(
    ("version", "cuda", "usable", "code"),
    [
        ("580.82.07", "13.0", True, ""),
        (None, None, False, ""),
        ("580.82.07", None, False, "gpu_unbuilt"),
        ("470.256.02", "12.8", False, "gpu_driver"),
        ("570.10", "13.0", False, "gpu_driver"),
        ("580.82.07", "13.0", False, "gpu_silent"),
        ("", "13.0", False, "gpu_silent"),
    ],
)
def test_amiss(version: str | None, cuda: str | None, usable: bool, code: str) -> None:
    """A processor's torch, an old driver, and a GPU that is hidden are told apart."""
    assert amiss(version, cuda, usable=usable) == code
