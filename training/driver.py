"""The driver of NVIDIA's GPUs on this machine, whether torch can use it or not."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

PLACE = Path("/proc/driver/nvidia/version")
TOLD = re.compile(r"\b(\d{3})\.\d+(?:\.\d+)?\b")
#: the oldest driver that runs a CUDA of this major version: NVIDIA, CUDA Compatibility, table of
#: minor version compatibility
OLDEST = {11: 450, 12: 525, 13: 580}


def driver(place: Path = PLACE) -> str | None:
    """Read the driver's version; "" where it does not say, None where there is none."""
    try:
        found = TOLD.search(place.read_text("utf-8", "replace"))
    except OSError:
        return "" if shutil.which("nvidia-smi") else None
    return found.group() if found else ""


def amiss(version: str | None, cuda: str | None, *, usable: bool) -> str:
    """Say why torch, built for a CUDA, does not use a GPU that is here; "" where all is well."""
    if usable or version is None:
        return ""
    if cuda is None:
        return "gpu_unbuilt"
    least = OLDEST.get(int(cuda.partition(".")[0]), 0)
    if version and int(version.partition(".")[0]) < least:
        return "gpu_driver"
    return "gpu_silent"
