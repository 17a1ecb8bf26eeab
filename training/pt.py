"""A hypernetwork as the `.pt` that AUTOMATIC1111 and ComfyUI read: written here, never read.

AUTOMATIC1111 010d5f03, modules/hypernetworks/hypernetwork.py, `Hypernetwork.save`: by the width of
what they read, a pair of state dicts, for keys and for values; beside them how they are built.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import torch

from storage.errors import JobError
from training.methods.hypernetwork import KIND, width

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor


def exported(tensors: Mapping[str, Tensor], told: Mapping[str, str], name: str) -> bytes:
    """Give the bytes of a `.pt`, in fp32 as A1111 trains them."""
    networks: dict[int, dict[str, dict[str, Tensor]]] = {}
    for key, tensor in tensors.items():
        kind, _, rest = key.partition(".")
        read, _, rest = rest.partition(".")
        which, _, place = rest.partition(".")
        if kind != KIND or which not in {"k", "v"} or not read.isdigit():
            raise JobError("export_kind")
        pair = networks.setdefault(int(read), {"k": {}, "v": {}})
        pair[which][place] = tensor.float().contiguous()
    content: dict[Any, Any] = {read: (pair["k"], pair["v"]) for read, pair in networks.items()}
    content |= {
        "step": int(told.get("ss_steps", 0)),
        "name": name,
        "layer_structure": [1, width(tensors), 1],
        "activation_func": "relu",
        "is_layer_norm": False,
        "weight_initialization": "Normal",
        "use_dropout": False,
        "sd_checkpoint": None,
        "sd_checkpoint_name": told.get("ss_sd_model_name"),
        "activate_output": False,
        "last_layer_dropout": False,
    }
    stream = io.BytesIO()
    torch.save(content, stream)
    return stream.getvalue()
