"""Libraries that take seconds to import: each is imported when it is first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = [
    "SLOW_IMPORTS",
    "LazyModule",
    "accelerate",
    "diffusers",
    "peft",
    "torch",
    "transformers",
]


class LazyModule:
    """A module that is imported when one of its attributes is first used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        """Import the module and return its attribute."""
        return getattr(import_module(self._name), name)


if TYPE_CHECKING:
    import accelerate
    import diffusers
    import peft
    import torch
    import transformers
else:
    accelerate, diffusers, peft = map(LazyModule, ("accelerate", "diffusers", "peft"))
    torch, transformers = map(LazyModule, ("torch", "transformers"))

#: what a worker imports while it has nothing to do, a few seconds each
SLOW_IMPORTS = (
    "torch._dynamo",
    "transformers.models.blip.modeling_blip",
    "transformers.models.clip.modeling_clip",
    "diffusers.models.modeling_utils",
    "diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion",
    "peft.tuners.lora",
    "lycoris.modules",
)
