"""Libraries that take seconds to import: each when something of it is first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["NEEDED", "Later", "diffusers", "peft", "transformers"]


class Later:
    """A module, imported when something of it is first asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        """Give what the module has by a name."""
        return getattr(import_module(self._name), name)


if TYPE_CHECKING:
    import diffusers
    import peft
    import transformers
else:
    diffusers, peft, transformers = map(Later, ("diffusers", "peft", "transformers"))

#: in the order in which a worker comes to need them, a few seconds each
NEEDED = (
    "torch._dynamo",
    "transformers.models.blip.modeling_blip",
    "transformers.models.clip.modeling_clip",
    "diffusers.models.modeling_utils",
    "diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion",
    "peft.tuners.lora",
    "lycoris.modules",
)
