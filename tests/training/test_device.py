"""Devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from training.device import Device, diagnose_gpu, read_driver_version

if TYPE_CHECKING:
    from pathlib import Path

CLOSED = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.256.02  Thu May  2 14:37:44 UTC 2024"
OPEN = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.82.07  Release Build"


def test_cpu() -> None:
    """A CPU computes in fp32, whatever the files' precision, and has a name."""
    device = Device.open(cpu=True)

    assert (device.precision, device.dtype) == ("fp32", torch.float32)
    assert device.name.startswith("CPU, ")
    assert device.used_mib() > 50
    assert device.free_mib() > 50


def test_bare() -> None:
    """A CPU has no memory of its own: all free RAM counts, and no peak is recorded."""
    device = Device.open(cpu=True)

    device.reset_peak()
    assert (device.total_mib(), device.usable_mib(), device.peak_mib()) == (0, 0, 0)
    assert device.available_mib() > 50


def test_one() -> None:
    """Opening the device again returns the same state."""
    first, second = Device.open(cpu=True), Device.open(cpu=True)

    assert first.accelerator.state.__dict__ == second.accelerator.state.__dict__


def test_pace() -> None:
    """A small base computes on one CPU thread, a large one on all, unless set otherwise."""
    device, chosen = Device.open(cpu=True), Device.open(cpu=True, threads=3)

    assert device.cpu_threads(small=True) == 1
    assert device.cpu_threads(small=False) == device.max_threads
    assert chosen.cpu_threads(small=True) == chosen.cpu_threads(small=False) == 3


@pytest.mark.parametrize(("said", "version"), [(CLOSED, "470.256.02"), (OPEN, "580.82.07")])
def test_driver_version(tmp_path: Path, said: str, version: str) -> None:
    """The driver's version is read from the kernel module, closed or open."""
    file = tmp_path / "version"
    file.write_text(said + "\nGCC version:  gcc version 12.2.0\n")

    assert read_driver_version(file) == version


def test_no_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the module there is no driver; if only the tool exists, its version is unknown."""
    monkeypatch.setenv("PATH", str(tmp_path))
    none = read_driver_version(tmp_path / "version")
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)

    assert none is None
    assert read_driver_version(tmp_path / "version") == ""


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
def test_gpu_problem(version: str | None, cuda: str | None, usable: bool, code: str) -> None:
    """A CPU build of torch, an old driver, and a hidden GPU are told apart."""
    assert diagnose_gpu(version, cuda, usable=usable) == code
