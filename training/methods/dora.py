"""DoRA (Liu et al. 2024, arXiv 2402.09353): a LoRA that also learns how strong each input is."""

from __future__ import annotations

from typing import Any

from storage.records import Method
from training.lazy import LazyModule, Tensor
from training.methods import _lycoris
from training.methods._defaults import low_rank_defaults
from training.networks.networks import Layer
from training.networks.traits import KeyMarks, MethodTraits

MODULES = LazyModule("lycoris.modules.locon")
METHOD = Method(
    "dora", dropout=True, title="DoRA",
    help="a LoRA that also learns magnitudes; slower, works in fewer programs",
)  # fmt: skip
TRAITS = MethodTraits(
    marks=KeyMarks(ends=("lora_down", "dora_scale")),
    lycoris={"algo": "lora", "dora_wd": "True", "wd_on_output": "False"},
    rebuilds_weights=True, reads_weights=True,
    # LyCORIS 4.1.3, modules/locon.py, makes every DoRA anew by outputs; diffusers 0.42,
    # lora_conversion_utils.py
    unreadable={
        "kohya": "reads no DoRA magnitudes per input", "diffusers": "doesn't support DoRA",
    },
)  # fmt: skip


def make_module(key: str, layer: Layer, rank: int) -> Any:
    """Put a module beside a layer."""
    return MODULES.LoConModule(key, layer, 1.0, rank, rank, weight_decompose=True, wd_on_out=False)


def module_delta(module: Any, weight: Tensor) -> Tensor:
    """Return what a module adds to a weight (out, in, ...)."""
    changed: Tensor = module.apply_weight_decompose(weight + module.make_weight(weight.device))
    return changed - weight


def file_delta(parts: _lycoris.Parts, weight: Tensor) -> Tensor:
    """Return what a file adds to a weight: the sum of both, rescaled, less the weight.

    Ours rescale by input; LyCORIS and peft by output, the latter with a vector.
    """
    low = _lycoris.multiply_factors(parts, "lora_up.weight", "lora_down.weight")
    rank = len(parts["lora_down.weight"])
    summed = weight + (low * _lycoris.alpha_scale(parts, rank)).view_as(weight)
    scale = parts["dora_scale"]
    by_output = scale.ndim < 2 or len(scale) > 1
    length: Tensor = summed.transpose(0, 1 - by_output).flatten(1).norm(dim=1)
    length = length.view(*(-1, 1) if by_output else (1, -1), *[1] * (weight.ndim - 2))
    changed: Tensor = summed * (scale.view_as(length) / length.clamp(min=1e-12))
    return changed - weight


def count_parameters(out: int, inner: int, window: int, rank: int) -> tuple[int, int]:
    """Count the numbers and tensors of a layer's module: a pair, a length an input, and alpha."""
    return rank * (out + inner * window) + inner + 1, 4


ALGORITHM = _lycoris.Algorithm(
    name="dora", make_module=make_module, module_delta=module_delta, file_delta=file_delta,
    key_ends=frozenset({"lora_up.weight", "lora_down.weight", "dora_scale", "alpha"}),
    rate_factor=1.0, rank_factor=1.0, count_parameters=count_parameters,
)  # fmt: skip

attach, check, apply, rules = ALGORITHM.attach, ALGORITHM.check, ALGORITHM.apply, ALGORITHM.rules
defaults = low_rank_defaults
