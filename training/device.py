"""Where networks run: one accelerator for the whole process, with its precision."""

from __future__ import annotations

import platform

import psutil
import torch
from accelerate import Accelerator

MIB = 2**20
TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class Device:
    """The device of this process: one, because accelerate keeps one state a process."""

    def __init__(self, accelerator: Accelerator, threads: int = 0) -> None:
        self.accelerator = accelerator
        self.threads = threads
        self.most = torch.get_num_threads()

    @classmethod
    def open(cls, *, cpu: bool = False, precision: str = "auto", threads: int = 0) -> Device:
        """Find the device. A CPU computes in fp32: fp16 there is fifteen times slower.

        A GPU computes in bf16, an older one, which has none, in fp16. Of CPU threads, zero leaves
        the choice to `pace`.
        """
        if precision == "auto":
            precision = "fp32"
            if torch.cuda.is_available() and not cpu:
                precision = "bf16" if torch.cuda.is_bf16_supported(False) else "fp16"
        return cls(
            Accelerator(cpu=cpu, mixed_precision="no" if precision == "fp32" else precision),
            threads,
        )

    @property
    def at(self) -> torch.device:
        """Give torch's name for it."""
        device: torch.device = self.accelerator.device
        return device

    @property
    def precision(self) -> str:
        """Name the precision networks compute in: "fp32", "bf16" or "fp16"."""
        mixed = str(self.accelerator.mixed_precision)
        return "fp32" if mixed == "no" else mixed

    @property
    def dtype(self) -> torch.dtype:
        """Give the type that frozen weights are kept in."""
        return TYPES[self.precision]

    @property
    def name(self) -> str:
        """Name it as a person would."""
        if self.at.type == "cuda":
            return torch.cuda.get_device_name(self.at)
        cores = len(psutil.Process().cpu_affinity() or ()) or psutil.cpu_count() or 1
        return f"CPU, {cores} cores ({platform.machine()})"

    def autocast(self) -> torch.autocast:
        """Compute in the device's precision inside the block."""
        return torch.autocast(self.at.type, self.dtype, enabled=self.precision != "fp32")

    def scaler(self) -> torch.amp.GradScaler:
        """Make what keeps gradients large enough for fp16 (Micikevicius et al. 2018), if it is."""
        return torch.amp.GradScaler(self.at.type, enabled=self.precision == "fp16")

    def pace(self, *, small: bool) -> int:
        """Choose the CPU threads: a small base gains nothing from a second that must be woken."""
        return self.threads or (1 if small else self.most)

    def go(self, *, small: bool) -> None:
        """Compute with so many CPU threads from now on."""
        torch.set_num_threads(self.pace(small=small))

    def memory(self) -> int:
        """Count MiB in use: the device's own memory, or this process's."""
        if self.at.type == "cuda":
            return int(torch.cuda.memory_reserved(self.at) // MIB)
        return int(psutil.Process().memory_info().rss // MIB)

    def whole(self) -> int:
        """Count MiB of the device's own memory; 0 for a bare processor."""
        if self.at.type == "cuda":
            return int(torch.cuda.mem_get_info(self.at)[1] // MIB)
        return 0 if self.at.type == "cpu" else int(psutil.virtual_memory().total // MIB)

    def free(self) -> int:
        """Count MiB that are still to be had."""
        if self.at.type == "cuda":
            return int(torch.cuda.mem_get_info(self.at)[0] // MIB)
        return int(psutil.virtual_memory().available // MIB)

    def spare(self) -> int:
        """Count MiB that torch can still give out: what is free, and what it keeps unused."""
        if self.at.type == "cuda":
            kept = torch.cuda.memory_reserved(self.at) - torch.cuda.memory_allocated(self.at)
            return self.free() + int(kept // MIB)
        return self.free()

    def watch(self) -> None:
        """Count the peak from now on."""
        if self.at.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.at)

    def peak(self) -> int:
        """Count the MiB that torch held at most; 0 where nobody counts."""
        if self.at.type == "cuda":
            return int(torch.cuda.max_memory_reserved(self.at) // MIB)
        return 0

    def room(self) -> int:
        """Count MiB that a training may take beside other programs; 0 for a bare processor."""
        return self.free() + self.memory() if self.whole() else 0

    def empty(self) -> None:
        """Give back what torch keeps for tensors to come; nothing where there is no GPU."""
        torch.cuda.empty_cache()


class Shelf(Device):
    """The CPU where networks are only kept, beside whatever device this process computes on."""

    at = torch.device("cpu")
    precision = "fp32"

    def __init__(self) -> None:
        self.threads, self.most = 0, torch.get_num_threads()
