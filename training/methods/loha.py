"""LoHa (Hyeon-Woo et al. 2022, arXiv 2108.06098): two LoRAs, multiplied by element."""

from __future__ import annotations

from typing import Any

from storage.records import Method
from training.lazy import LazyModule, Tensor
from training.methods import _lycoris
from training.methods._defaults import layer_defaults
from training.networks.networks import Layer
from training.networks.traits import KeyMarks, MethodTraits

MODULES = LazyModule("lycoris.modules.loha")
METHOD = Method(
    "loha", dropout=True, title="LoHa",
    help="two LoRAs multiplied; often calmer, works in fewer programs",
)  # fmt: skip
TRAITS = MethodTraits(
    marks=KeyMarks(ends=("hada_w1",)), lycoris={"algo": "loha"}, rebuilds_weights=True,
    unreadable={"diffusers": "doesn't support LoHa"},  # 0.42, lora_conversion_utils.py
)  # fmt: skip


def make_module(key: str, layer: Layer, rank: int) -> Any:
    """Return a module for a layer."""
    return MODULES.LohaModule(key, layer, 1.0, rank, rank)


def file_delta(parts: _lycoris.Parts, weight: Tensor) -> Tensor:
    """Multiply both low-rank products by element (out, in, ...)."""
    one = _lycoris.multiply_factors(parts, "hada_w1_a", "hada_w1_b")
    two = _lycoris.multiply_factors(parts, "hada_w2_a", "hada_w2_b")
    return (one * two * _lycoris.alpha_scale(parts, len(parts["hada_w1_b"]))).view_as(weight)


def count_parameters(out: int, inner: int, window: int, rank: int) -> tuple[int, int]:
    """Count the numbers and tensors of a layer's module: two pairs, and alpha."""
    return 2 * rank * (out + inner * window) + 1, 5


ALGORITHM = _lycoris.Algorithm(
    name="loha", make_module=make_module, module_delta=_lycoris.additive_delta,
    file_delta=file_delta,
    key_ends=frozenset({"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "alpha"}),
    rate_factor=1.0, rank_factor=0.5, count_parameters=count_parameters,
)  # fmt: skip

attach, check, apply, rules = ALGORITHM.attach, ALGORITHM.check, ALGORITHM.apply, ALGORITHM.rules
defaults = layer_defaults
