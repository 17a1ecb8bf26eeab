"""The device."""

from __future__ import annotations

import torch

from training.device import Device


def test_cpu() -> None:
    """A CPU computes in fp32, whatever the files have, and says what it is."""
    device = Device.open(cpu=True)

    assert (device.precision, device.dtype) == ("fp32", torch.float32)
    assert device.name.startswith("CPU, ")
    assert device.memory() > 50
    assert device.free() > 50


def test_bare() -> None:
    """A processor has no memory of its own: all that is free is to spare, and nobody counts."""
    device = Device.open(cpu=True)

    device.watch()
    assert (device.whole(), device.room(), device.peak()) == (0, 0, 0)
    assert device.spare() > 50


def test_one() -> None:
    """Opening the device again is the same state."""
    first, second = Device.open(cpu=True), Device.open(cpu=True)

    assert first.accelerator.state.__dict__ == second.accelerator.state.__dict__


def test_pace() -> None:
    """A small base computes on one CPU thread, a large one on all, unless a number is chosen."""
    device, chosen = Device.open(cpu=True), Device.open(cpu=True, threads=3)

    assert device.pace(small=True) == 1
    assert device.pace(small=False) == device.most
    assert chosen.pace(small=True) == chosen.pace(small=False) == 3
