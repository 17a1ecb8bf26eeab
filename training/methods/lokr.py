"""LoKr (Yeh et al. 2023, arXiv 2309.14859): a Kronecker product of two small matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from lycoris.modules.lokr import LokrModule
from torch import Tensor

from storage.records import Method
from training import lycoris

if TYPE_CHECKING:
    from training.networks import Layer

KIND = "lora"
METHOD = Method("lokr", dropout=True)
FACTOR = 8  #: how large the smaller matrix is; every layer of a true base can be divided by it
ENDS = [f"lokr_w{which}{half}" for which in (1, 2) for half in ("", "_a", "_b")]


def made(key: str, layer: Layer, rank: int) -> Any:
    """Put a module beside a layer."""
    return LokrModule(key, layer, 1.0, rank, rank, factor=FACTOR)


def delta(parts: lycoris.Parts, weight: Tensor) -> Tensor:
    """Multiply both factors, each whole or of two, after Kronecker (out, in, ...)."""
    small, large = (factor(parts, name) for name in ("lokr_w1", "lokr_w2"))
    ranks = [len(parts[f"{name}_b"]) for name in ("lokr_w1", "lokr_w2") if f"{name}_b" in parts]
    by = lycoris.scale(parts, ranks[-1]) if ranks else 1.0
    window = weight.shape[2:]
    if not window:
        return torch.kron(small, large) * by
    large = large.reshape(weight.shape[0] // len(small), -1, *window)
    return torch.kron(small[:, :, None, None], large) * by


def factor(parts: lycoris.Parts, name: str) -> Tensor:
    """Give a factor, (out, in) or (out, in, window), or multiply its own two."""
    return parts[name] if name in parts else lycoris.product(parts, f"{name}_a", f"{name}_b")


OWN = lycoris.Kind(
    name="lokr",
    make=made,
    gain=lycoris.shaped,
    delta=delta,
    ends=frozenset({*ENDS, "alpha"}),
    rate=1.0,
    rank=1.0,
    size={
        "small": (60_467, 12_298),
        "small text": (72_535, 13_503),
        "sd1": (165_904, 228_384),
        "sd1 text": (213_280, 269_856),
        "sd2": (156_376, 230_531),
        "sd2 text": (241_942, 336_618),
        "sdxl": (519_060, 747_107),
        "sdxl text": (683_488, 973_195),
        "zimage": (142_551, 620_245),
    },
)

attach, check, worn, rules = OWN.attach, OWN.check, OWN.worn, OWN.rules
