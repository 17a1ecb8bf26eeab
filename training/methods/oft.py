"""OFT (Qiu et al. 2023, arXiv 2306.07280): every layer's outputs are turned, block by block."""

from __future__ import annotations

from typing import Any

from storage.records import Method
from training.lazy import LazyModule, Tensor, torch
from training.methods import _lycoris
from training.methods._defaults import layer_defaults
from training.networks.networks import Layer
from training.networks.traits import KeyMarks, MethodTraits

MODULES = LazyModule("lycoris.modules.diag_oft")
METHOD = Method(
    "oft", dropout=True, title="OFT",
    help="rotates the base's weights; small file, works in fewer programs",
)  # fmt: skip
TRAITS = MethodTraits(
    marks=KeyMarks(ends=("oft_blocks",)),
    lycoris={"algo": "diag-oft", "constraint": "1000"},
    rebuilds_weights=True, reads_weights=True,
    # A1111 reads them since 1.8 (3772a82a, extensions-builtin/Lora/network_oft.py), and kohya's
    # sd-scripts by LyCORIS: its own networks/oft.py (48d368fa) has other names. Forge dfdcbab6,
    # packages_3rdparty/comfyui_lora_collection/lora.py; diffusers 0.42, lora_conversion_utils.py
    unreadable={"Forge": "doesn't support OFT", "diffusers": "doesn't support OFT"},
)  # fmt: skip
LIMIT = 1000.0  #: of a turn, as a file's alpha: so far off that it limits none


def make_module(key: str, layer: Layer, rank: int) -> Any:
    """Put a module beside a layer."""
    return MODULES.DiagOFTModule(key, layer, 1.0, rank, constraint=LIMIT)


def module_delta(module: Any, weight: Tensor) -> Tensor:
    """Return what a module adds to a weight (out, in, ...)."""
    turned: Tensor = module.make_weight(1, weight.device, diff=True)
    return turned


def file_delta(parts: _lycoris.Parts, weight: Tensor) -> Tensor:
    """Turn blocks of outputs by Cayley's transform (I + Q)(I - Q)^-1, and take the weight off."""
    blocks = parts["oft_blocks"]  # (blocks, size, size)
    skew = blocks - blocks.transpose(1, 2)
    identity = torch.eye(blocks.shape[-1], device=blocks.device)
    turn = (identity + skew) @ (identity - skew).inverse()
    rows = weight.reshape(len(blocks), blocks.shape[-1], -1)
    return torch.einsum("knm,kni->kmi", turn, rows).reshape(weight.shape) - weight


def count_parameters(out: int, inner: int, window: int, rank: int) -> tuple[int, int]:  # noqa: ARG001
    """Count the numbers and tensors of a layer's module: square blocks, and alpha."""
    size, count = _lycoris.factorize(out, rank)
    return count * size**2 + 1, 2


ALGORITHM = _lycoris.Algorithm(
    name="oft", make_module=make_module, module_delta=module_delta, file_delta=file_delta,
    key_ends=frozenset({"oft_blocks", "alpha"}), rate_factor=1.0, rank_factor=1.0,
    count_parameters=count_parameters,
)  # fmt: skip

attach, check, apply, rules = ALGORITHM.attach, ALGORITHM.check, ALGORITHM.apply, ALGORITHM.rules
defaults = layer_defaults
