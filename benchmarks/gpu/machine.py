"""The machine: its GPU, driver and libraries, and how fast it multiplies and copies."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.machinery import PathFinder
from importlib.util import find_spec

import torch

from benchmarks.gpu.bench import Bench
from benchmarks.gpu.figures import Figure
from training.device import read_driver_version

SIDES = 8192, 256  #: of the matrices that are multiplied, on a GPU and in a rehearsal
COPIED_BYTES = 2**32, 2**24
TIMES = 10
#: what the parts import; bitsandbytes is needed by two of the capped trainings alone
PACKAGES = {
    "diffusers": "diffusers", "transformers": "transformers", "peft": "peft",
    "accelerate": "accelerate", "lycoris": "lycoris-lora", "safetensors": "safetensors",
    "bitsandbytes": "bitsandbytes", "pydantic_settings": "pydantic-settings",
    "platformdirs": "platformdirs", "httpx2": "httpx2", "psutil": "psutil", "pytest": "pytest",
}  # fmt: skip


def list_missing(late: str) -> list[str]:
    """List the packages that are not installed, not even in the folder that parts add."""
    places = [*sys.path, late]
    return [
        package
        for module, package in PACKAGES.items()
        if PathFinder.find_spec(module, places) is None
    ]


def describe(device: str, late: str = "") -> dict[str, str]:
    """Return driver, torch, versions and date; the GPU's name follows from its part."""
    day = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    versions = {
        name: importlib.metadata.version(name)
        for name in ("torch", "diffusers", "peft")
        if find_spec(name)
    }
    driver = read_driver_version() or ask_driver()
    return {
        "": find_name(device),
        "driver": driver,
        **versions,
        "Python": platform.python_version(),
        "without": ", ".join(list_missing(late)),
        "date": day,
    }


def ask_nvidia(what: str) -> str:
    """Return what NVIDIA's own program says of the first GPU; "" without it."""
    command = ["nvidia-smi", f"--query-gpu={what}", "--format=csv,noheader"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return said.stdout.partition("\n")[0].strip()


def ask_driver() -> str:
    """Return the driver's version."""
    return ask_nvidia("driver_version")


def find_name(device: str) -> str:
    """Return the GPU's name without torch, whose children shall be the first to open it."""
    return "a CPU in its place, shrunken models" if device == "cpu" else ask_nvidia("name")


def measure(bench: Bench) -> Iterator[Figure]:
    """Measure the device's two ceilings: matrix products and copies."""
    device = bench.device()
    at, side = device.torch_device, bench.choose(*SIDES)
    one = torch.randn(side, side, device=at).to(device.dtype)
    seconds = time_best(bench, lambda: one @ one)
    what = f"a product of {side} x {side}, {device.precision}"
    yield Figure(what, 2 * side**3 / seconds / 1e12, "TFLOP/s")
    large = torch.ones(bench.choose(*COPIED_BYTES), dtype=torch.uint8, device=at)
    other = torch.empty_like(large)
    seconds = time_best(bench, lambda: other.copy_(large))
    what = "a copy on the device, bytes read and written"
    yield Figure(what, 2 * large.numel() / seconds / 1e9, "GB/s")


def time_best(bench: Bench, work: Callable[[], object]) -> float:
    """Return the seconds of the fastest of several runs, by the device's own clock."""
    found = []
    for _ in range(TIMES):
        if bench.cuda is None:
            began = time.perf_counter()
            work()
            found.append(time.perf_counter() - began)
            continue
        begin, end = (bench.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        work()
        end.record()
        bench.cuda.synchronize()
        found.append(begin.elapsed_time(end) / 1000)
    return min(found[1:])
