"""DoRA (Liu et al. 2024, arXiv 2402.09353): a LoRA that also learns how strong each input is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lycoris.modules.locon import LoConModule
from torch import Tensor

from storage.records import Method
from training import lycoris

if TYPE_CHECKING:
    from training.networks import Layer

KIND = "lora"
METHOD = Method("dora", dropout=True)


def made(key: str, layer: Layer, rank: int) -> Any:
    """Put a module beside a layer."""
    return LoConModule(key, layer, 1.0, rank, rank, weight_decompose=True, wd_on_out=False)


def gain(module: Any, weight: Tensor) -> Tensor:
    """Give what a module adds to a weight."""
    changed: Tensor = module.apply_weight_decompose(weight + module.make_weight(weight.device))
    return changed - weight


def delta(parts: lycoris.Parts, weight: Tensor) -> Tensor:
    """Give the sum of weight and LoRA its learned length by input, and take the weight off."""
    low = lycoris.product(parts, "lora_up.weight", "lora_down.weight")
    rank = len(parts["lora_down.weight"])
    summed = weight + (low * lycoris.scale(parts, rank)).view_as(weight)
    length: Tensor = summed.transpose(0, 1).flatten(1).norm(dim=1)
    length = length.view(1, -1, *[1] * (weight.ndim - 2))
    changed: Tensor = summed * (parts["dora_scale"].view_as(length) / length.clamp(min=1e-12))
    return changed - weight


OWN = lycoris.Kind(
    name="dora",
    make=made,
    gain=gain,
    delta=delta,
    ends=frozenset({"lora_up.weight", "lora_down.weight", "dora_scale", "alpha"}),
    rate=1.0,
    rank=1.0,
    size={
        "small": (67_632, 110_784),
        "small text": (81_076, 124_608),
        "sd1": (612_708, 1_827_072),
        "sd1 text": (817_836, 2_158_848),
        "sd2": (622_476, 1_843_581),
        "sd2 text": (1_118_266, 2_691_548),
        "sdxl": (2_958_312, 5_974_034),
        "sdxl text": (3_999_580, 7_780_650),
        "zimage": (2_381_716, 4_961_366),
    },
)

attach, check, worn, rules = OWN.attach, OWN.check, OWN.worn, OWN.rules
