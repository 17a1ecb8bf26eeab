"""Libraries that take seconds to import: each is imported when it is first used."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any


class LazyModule:
    """A module that is imported when one of its attributes is first used, and kept with it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        """Import the module and return its attribute, which is found without this from then on."""
        found = getattr(import_slowly(self._name), name)
        setattr(self, name, found)
        return found


def import_slowly(name: str) -> ModuleType:
    """Import a module of a library that takes seconds."""
    if name.partition(".")[0] not in {"torch", "transformers"}:
        bind_pil_processors()
    return import_module(name)


def bind_pil_processors() -> None:
    """Bind the image processors that diffusers imports to those that work without torchvision.

    transformers falls back to the same ones, but warns of each on stderr. We use none of them.
    """
    if find_spec("torchvision") is None:
        for name in ("CLIPImageProcessor", "SiglipImageProcessor"):
            processor = getattr(import_module("transformers"), f"{name}Pil")
            setattr(import_module("transformers"), name, processor)  # which replaced itself


if TYPE_CHECKING:
    import accelerate
    import diffusers
    import peft
    import torch
    import transformers
    from torch import Tensor
else:
    Tensor = Any  #: for annotations alone
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
