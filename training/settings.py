"""What the scheduler and its workers read from the environment."""

from __future__ import annotations

import platform
import re
from pathlib import Path
from typing import Literal

from pydantic import Field

from storage.settings import StorageSettings

DEVICE_PATTERN = r"(auto|cpu|mps|cuda(:\d+)?)"
HEAD_PATTERN = r"[\w.-]+:\d{1,5}"


class TrainingSettings(StorageSettings):
    """Everything an operator can set for training; `.env.example` lists the variables."""

    device: str = Field(
        default="auto",
        pattern=rf"^{DEVICE_PATTERN}(,{DEVICE_PATTERN})*$",
        validation_alias="SAFELIGHT_DEVICE",
        examples=["cuda:0", "cuda:0,cuda:1"],
    )
    workers_per_gpu: int = Field(
        default=1, ge=1, le=4, validation_alias="SAFELIGHT_WORKERS_PER_GPU", examples=["2"]
    )
    base_list: Path | None = Field(
        default=None, validation_alias="SAFELIGHT_BASES", examples=["bases.toml"]
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        default="auto", validation_alias="SAFELIGHT_PRECISION", examples=["bf16"]
    )
    captioner: str = Field(
        default="Salesforce/blip-image-captioning-large",
        min_length=1,
        validation_alias="SAFELIGHT_CAPTIONER",
        examples=["embedded"],
    )
    cpu_threads: int = Field(
        default=0, ge=0, le=1024, validation_alias="SAFELIGHT_THREADS_CPU", examples=["2"]
    )
    stepper: Literal["auto", "eager", "graph", "compile"] = Field(
        default="eager", validation_alias="SAFELIGHT_STEPPER", examples=["auto"]
    )
    judges: Path | None = Field(
        default=None, validation_alias="SAFELIGHT_JUDGES", examples=["judges"]
    )
    trackers: str = Field(
        default="",
        pattern=r"^((tensorboard|wandb)(,(tensorboard|wandb))*)?$",
        validation_alias="SAFELIGHT_TRACKERS",
        examples=["tensorboard", "tensorboard,wandb"],
    )
    box: str = Field(
        default="",
        pattern=r"^[\w.-]{0,40}$",
        validation_alias="SAFELIGHT_BOX",
        examples=["studio"],
    )
    head: str = Field(
        default="",
        pattern=rf"^({HEAD_PATTERN})?$",
        validation_alias="SAFELIGHT_HEAD",
        examples=["192.168.1.2:6379"],
    )
    yield_to: str = Field(
        default="", validation_alias="SAFELIGHT_YIELD_TO", examples=["steam_app_570,blender"]
    )
    nice: int = Field(default=10, ge=0, le=19, validation_alias="SAFELIGHT_NICE")

    idle_seconds: int = Field(
        default=0, ge=0, validation_alias="SAFELIGHT_IDLE_SECONDS", examples=["300"]
    )

    @property
    def tracker_names(self) -> tuple[str, ...]:
        """The programs that get the numbers of trainings."""
        return tuple(filter(None, self.trackers.split(",")))

    @property
    def yield_names(self) -> tuple[str, ...]:
        """The programs of this machine's owner for which jobs make room."""
        return tuple(name for each in self.yield_to.split(",") if (name := each.strip()))

    @property
    def box_name(self) -> str:
        """The name of this machine before that of each worker: SAFELIGHT_BOX, else the host's."""
        host = platform.node().partition(".")[0]
        return self.box or re.sub(r"[^\w-]", "", host)[:40] or "here"

    @property
    def devices(self) -> dict[str, str]:
        """The device of each worker, by its folder's name; a device may have several."""
        found = dict[str, str]()
        for device in self.device.split(","):
            for _ in range(self.workers_per_gpu if device.startswith("cuda") else 1):
                number = 1 + list(found.values()).count(device)
                end = f"-{number}" if number > 1 else ""
                found[device.replace(":", "") + end] = device
        return found
