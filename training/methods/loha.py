"""LoHa (Hyeon-Woo et al. 2022, arXiv 2108.06098): two LoRAs, multiplied by element."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lycoris.modules.loha import LohaModule
from torch import Tensor

from storage.records import Method
from training import lycoris

if TYPE_CHECKING:
    from training.networks import Layer

KIND = "lora"
METHOD = Method("loha", dropout=True)


def made(key: str, layer: Layer, rank: int) -> Any:
    """Put a module beside a layer."""
    return LohaModule(key, layer, 1.0, rank, rank)


def delta(parts: lycoris.Parts, weight: Tensor) -> Tensor:
    """Multiply both low-rank products by element (out, in, ...)."""
    one = lycoris.product(parts, "hada_w1_a", "hada_w1_b")
    two = lycoris.product(parts, "hada_w2_a", "hada_w2_b")
    return (one * two * lycoris.scale(parts, len(parts["hada_w1_b"]))).view_as(weight)


OWN = lycoris.Kind(
    name="loha",
    make=made,
    gain=lycoris.shaped,
    delta=delta,
    ends=frozenset({"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "alpha"}),
    rate=1.0,
    rank=0.5,
    size={
        "small": (46_792, 221_568),
        "small text": (54_768, 249_216),
        "sd1": (169_828, 3_654_144),
        "sd1 text": (217_744, 4_317_696),
        "sd2": (161_860, 3_687_078),
        "sd2 text": (250_516, 5_382_914),
        "sdxl": (540_277, 11_948_405),
        "sdxl text": (712_578, 15_561_236),
        "zimage": (144_854, 9_922_698),
    },
)

attach, check, worn, rules = OWN.attach, OWN.check, OWN.worn, OWN.rules
