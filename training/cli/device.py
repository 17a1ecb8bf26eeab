"""`python -m training device`, for `safelight doctor`: torch, the device and what it can train."""

from __future__ import annotations

from typing import Any

import torch

from training.device import Device, diagnose_gpu, read_driver_version
from training.run import memory
from training.settings import TrainingSettings


def describe_device(settings: TrainingSettings) -> dict[str, Any]:
    """Return the versions of torch, CUDA and driver, the device, and what fits into its memory."""
    device = Device.open(cpu=settings.device == "cpu", precision=settings.precision)
    driver, cuda, total = read_driver_version(), torch.version.cuda, device.total_mib()
    usable = device.torch_device.type == "cuda"
    return {
        "torch": torch.__version__,
        "device": device.torch_device.type,
        "name": device.name,
        "precision": device.precision,
        "free": device.free_mib(),
        "driver": driver or "",
        "cuda": cuda or "",
        "gpu_problem": diagnose_gpu(driver, cuda, usable=usable),
        "reach": memory.list_trainable_families(total, device.precision) if total else {},
    }
