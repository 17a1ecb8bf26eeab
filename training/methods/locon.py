"""LoCon (Yeh et al. 2023, arXiv 2309.14859): a LoRA of MLP and convolutions, too."""

from __future__ import annotations

from functools import partial
from typing import Any

from storage.records import Base, Method
from storage.requests import TrainRequest
from training.methods import lora
from training.methods._defaults import low_rank_defaults
from training.methods.lora import apply, attach, check
from training.networks.counts import FamilyNumbers
from training.networks.traits import MethodTraits

__all__ = ["METHOD", "TRAITS", "apply", "attach", "check", "defaults", "rules"]

METHOD = Method(
    "locon", dropout=True, small_copy=True, title="LoCon",
    help="a LoRA on every layer; finer detail, larger file",
)  # fmt: skip
TRAITS = MethodTraits()  # its files are LoRAs

rules = partial(lora.rules, name="locon", all_layers=True)


def defaults(request: TrainRequest, base: Base, family: FamilyNumbers) -> dict[str, Any]:
    """Return the recipe's fields that the method decides."""
    return low_rank_defaults(request, base, family) | {"all_layers": True}
