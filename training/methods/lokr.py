"""LoKr (Yeh et al. 2023, arXiv 2309.14859): a Kronecker product of two small matrices."""

from __future__ import annotations

from typing import Any

from storage.records import Method
from training.lazy import LazyModule, Tensor, torch
from training.methods import _lycoris
from training.methods._defaults import low_rank_defaults
from training.networks.networks import Layer
from training.networks.traits import KeyMarks, MethodTraits

MODULES = LazyModule("lycoris.modules.lokr")
METHOD = Method(
    "lokr", dropout=True, title="LoKr",
    help="the smallest file of its kind; works in fewer programs",
)  # fmt: skip
TRAITS = MethodTraits(
    marks=KeyMarks(ends=("lokr_w1",)), lycoris={"algo": "lokr", "factor": "8"},
    rebuilds_weights=True,
    unreadable={"diffusers": "doesn't support LoKr"},  # 0.42, lora_conversion_utils.py
)  # fmt: skip
FACTOR = 8  #: how large the smaller matrix is; every layer of a true base can be divided by it
ENDS = [f"lokr_w{which}{half}" for which in (1, 2) for half in ("", "_a", "_b")]


def make_module(key: str, layer: Layer, rank: int) -> Any:
    """Return a module for a layer."""
    return MODULES.LokrModule(key, layer, 1.0, rank, rank, factor=FACTOR)


def file_delta(parts: _lycoris.Parts, weight: Tensor) -> Tensor:
    """Multiply both factors, each whole or of two, after Kronecker (out, in, ...)."""
    small, large = (read_factor(parts, name) for name in ("lokr_w1", "lokr_w2"))
    ranks = [len(parts[f"{name}_b"]) for name in ("lokr_w1", "lokr_w2") if f"{name}_b" in parts]
    by = _lycoris.alpha_scale(parts, ranks[-1]) if ranks else 1.0
    if small.numel() * large.numel() != weight.numel():
        raise ValueError("factors of another layer")
    window = weight.shape[2:]
    if not window:
        return torch.kron(small, large) * by
    large = large.reshape(weight.shape[0] // len(small), -1, *window)
    return torch.kron(small[:, :, None, None], large) * by


def read_factor(parts: _lycoris.Parts, name: str) -> Tensor:
    """Return a factor, (out, in) or (out, in, window), multiplied out where it is two matrices."""
    if name in parts:
        return parts[name]
    return _lycoris.multiply_factors(parts, f"{name}_a", f"{name}_b")


def count_parameters(out: int, inner: int, window: int, rank: int) -> tuple[int, int]:
    """Count the numbers and tensors of a layer's module: both factors, and alpha.

    The larger one is of two where they are smaller than it is.
    """
    (one, large), (other, wide) = (
        _lycoris.factorize(out, FACTOR),
        _lycoris.factorize(inner, FACTOR),
    )
    if rank >= max(large, wide) / 2:
        return one * other + large * wide * window + 1, 3
    return one * other + rank * (large + wide * window) + 1, 4


ALGORITHM = _lycoris.Algorithm(
    name="lokr", make_module=make_module, module_delta=_lycoris.additive_delta,
    file_delta=file_delta, key_ends=frozenset({*ENDS, "alpha"}), rate_factor=3.0,
    rank_factor=1.0, count_parameters=count_parameters,
)  # fmt: skip

attach, check, apply, rules = ALGORITHM.attach, ALGORITHM.check, ALGORITHM.apply, ALGORITHM.rules
defaults = low_rank_defaults
