"""Where networks run: one accelerator for the whole process, with its precision; GPU drivers."""

from __future__ import annotations

import platform
import re
import shutil
from pathlib import Path
from typing import Any

import psutil

from training.lazy import Tensor, accelerate, torch

MIB = 2**20
DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}  #: torch's names

DRIVER_FILE = Path("/proc/driver/nvidia/version")
DRIVER_VERSION = re.compile(r"\b(\d{3})\.\d+(?:\.\d+)?\b")
#: the oldest driver that runs a CUDA of this major version: NVIDIA, CUDA Compatibility, table of
#: minor version compatibility
MIN_DRIVER = {11: 450, 12: 525, 13: 580}


class Device:
    """The device of this process: one, because accelerate keeps one state a process."""

    def __init__(self, accelerator: accelerate.Accelerator, threads: int = 0) -> None:
        self.accelerator, self.threads = accelerator, threads
        self.max_threads = torch.get_num_threads()
        #: what captures CUDA graphs: torch's module, None without a GPU
        self.cuda: Any = torch.cuda if self.torch_device.type == "cuda" else None
        self.stepper = ""  #: how trainings take steps, unless their recipe says so
        self.trackers: tuple[str, ...] = ()  #: which programs get the numbers of trainings

    @classmethod
    def open(cls, *, cpu: bool = False, precision: str = "auto", threads: int = 0) -> Device:
        """Open the best device there is.

        A GPU computes in bf16, an older one, which has none, in fp16; a CPU in fp32, since fp16
        is fifteen times slower there. With 0 threads, `cpu_threads` chooses.
        """
        from accelerate import Accelerator  # noqa: PLC0415 - torch, only when it is needed

        if precision == "auto":
            precision = "fp32"
            if torch.cuda.is_available() and not cpu:
                precision = "bf16" if torch.cuda.is_bf16_supported(False) else "fp16"
        return cls(
            Accelerator(cpu=cpu, mixed_precision="no" if precision == "fp32" else precision),
            threads,
        )

    @property
    def torch_device(self) -> torch.device:
        """The device as torch names it."""
        device: torch.device = self.accelerator.device
        return device

    @property
    def precision(self) -> str:
        """The precision networks compute in: "fp32", "bf16" or "fp16"."""
        mixed = str(self.accelerator.mixed_precision)
        return "fp32" if mixed == "no" else mixed

    @property
    def dtype(self) -> torch.dtype:
        """The type that frozen weights are kept in."""
        dtype: torch.dtype = getattr(torch, DTYPES[self.precision])
        return dtype

    @property
    def name(self) -> str:
        """The device as a person would name it."""
        if self.torch_device.type == "cuda":
            return torch.cuda.get_device_name(self.torch_device)
        cores = len(psutil.Process().cpu_affinity() or ()) or psutil.cpu_count() or 1
        return f"CPU, {cores} cores ({platform.machine()})"

    def autocast(self) -> torch.autocast:
        """Compute in the device's precision inside the block."""
        return torch.autocast(self.torch_device.type, self.dtype, enabled=self.precision != "fp32")

    def scaler(self) -> torch.amp.GradScaler:
        """Return a gradient scaler; it acts in fp16 only (Micikevicius et al. 2018)."""
        return torch.amp.GradScaler(self.torch_device.type, enabled=self.precision == "fp16")

    def cpu_threads(self, *, small: bool) -> int:
        """Return the CPU threads to use: a small base is slower with a second one to wake."""
        return self.threads or (1 if small else self.max_threads)

    def set_threads(self, *, small: bool) -> None:
        """Compute with the CPU threads that suit the base from now on."""
        torch.set_num_threads(self.cpu_threads(small=small))

    def used_mib(self) -> int:
        """Return the MiB in use: on a GPU by torch, else by this process."""
        if self.torch_device.type == "cuda":
            return int(torch.cuda.memory_reserved(self.torch_device) // MIB)
        return int(psutil.Process().memory_info().rss // MIB)

    def total_mib(self) -> int:
        """Return the MiB the device has; 0 for a CPU."""
        if self.torch_device.type == "cuda":
            return int(torch.cuda.mem_get_info(self.torch_device)[1] // MIB)
        return 0 if self.torch_device.type == "cpu" else int(psutil.virtual_memory().total // MIB)

    def free_mib(self) -> int:
        """Return the MiB that no program uses."""
        if self.torch_device.type == "cuda":
            return int(torch.cuda.mem_get_info(self.torch_device)[0] // MIB)
        return int(psutil.virtual_memory().available // MIB)

    def available_mib(self) -> int:
        """Return the MiB that torch can still hand out: free ones, and those in its cache."""
        if self.torch_device.type == "cuda":
            kept = torch.cuda.memory_reserved(self.torch_device) - torch.cuda.memory_allocated(
                self.torch_device
            )
            return self.free_mib() + int(kept // MIB)
        return self.free_mib()

    def reset_peak(self) -> None:
        """Measure the peak from now on."""
        if self.torch_device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.torch_device)

    def peak_mib(self) -> int:
        """Return the most MiB torch held; 0 where that is not measured."""
        if self.torch_device.type == "cuda":
            return int(torch.cuda.max_memory_reserved(self.torch_device) // MIB)
        return 0

    def check_peak(self, limit_mib: int) -> None:
        """Raise OutOfMemoryError if torch held more, which some drivers lend; 0 is no limit."""
        if limit_mib and self.peak_mib() > limit_mib:
            raise torch.OutOfMemoryError(f"{limit_mib} MiB are not enough")

    def usable_mib(self) -> int:
        """Return the MiB a training may take beside other programs; 0 for a CPU."""
        return self.free_mib() + self.used_mib() if self.total_mib() else 0

    def empty_cache(self) -> None:
        """Free the memory in torch's cache; does nothing without a GPU."""
        torch.cuda.empty_cache()


class HostMemory(Device):
    """The CPU as a place to keep networks, whatever device this process computes on."""

    precision = "fp32"

    def __init__(self) -> None:
        self.threads, self.max_threads = 0, torch.get_num_threads()
        self.cuda, self.stepper = None, ""

    @property
    def torch_device(self) -> torch.device:
        """The CPU as torch names it."""
        return torch.device("cpu")


def send(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a tensor on a device, without waiting for what the device still has to do.

    A copy from memory that is not pinned waits. MPS may read such memory too late.
    """
    if tensor.device.type == device.type:
        return tensor
    if device.type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=device.type != "mps")


def read_driver_version(file: Path = DRIVER_FILE) -> str | None:
    """Return the version of NVIDIA's driver: "" if unknown, None if there is no driver."""
    try:
        version = DRIVER_VERSION.search(file.read_text("utf-8", "replace"))
    except OSError:
        return "" if shutil.which("nvidia-smi") else None
    return version.group() if version else ""


def diagnose_gpu(driver: str | None, cuda: str | None, *, usable: bool) -> str:
    """Return a code for why torch cannot use the GPU that has a driver; "" if nothing is wrong.

    `cuda` is the version torch was built for, None for a CPU build.
    """
    if usable or driver is None:
        return ""
    if cuda is None:
        return "gpu_unbuilt"
    oldest = MIN_DRIVER.get(int(cuda.partition(".")[0]), 0)
    if driver and int(driver.partition(".")[0]) < oldest:
        return "gpu_driver"
    return "gpu_silent"
