"""Hostile weight files: headers of safetensors that lie, and mutations of honest ones."""

from __future__ import annotations

import json
import random
from typing import Any

from benchmarks.hostile.pictures import MUTATIONS
from benchmarks.hostile.words import NUMBERS, make_text

TENSORS = {
    "lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight": ("F16", [4, 8]),
    "lora_unet_down_blocks_0_attentions_0_proj_in.lora_up.weight": ("F16", [8, 4]),
    "lora_unet_down_blocks_0_attentions_0_proj_in.alpha": ("F32", []),
    "lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": ("BF16", [2, 8]),
    "lora_te_text_model_encoder_layers_0_mlp_fc1.lora_up.weight": ("BF16", [8, 2]),
}
BYTES = {"F16": 2, "BF16": 2, "F32": 4}
STRANGE: tuple[Any, ...] = (
    None, -1, 0, 1.5, 2**31, 2**63, 2**80, "7", "F16", "NOPE", [], [-1, 8], [2**40, 2**40], {}, True, [[]],
)  # fmt: skip


def make_header() -> dict[str, Any]:
    """Return the header of a small honest LoRA."""
    header: dict[str, Any] = {
        "__metadata__": {"ss_network_module": "networks.lora", "ss_tag": "{}"}
    }
    at = 0
    for name, (kind, shape) in TENSORS.items():
        size = BYTES[kind]
        for side in shape:
            size *= side
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    return header


BODY_BYTES = 196  #: as the honest header says


def pack(header: object, body_bytes: int = BODY_BYTES) -> bytes:
    """Return a file of a header and zeros."""
    written = json.dumps(header).encode()
    return len(written).to_bytes(8, "little") + written + bytes(body_bytes)


def lie(rng: random.Random, header: dict[str, Any]) -> dict[str, Any]:
    """Change one to three entries of a header, keeping it JSON."""
    for _ in range(rng.randrange(1, 4)):
        name = rng.choice([*header])
        entry = header[name]
        if isinstance(entry, dict) and entry and rng.random() < 0.7:
            entry[rng.choice([*entry])] = rng.choice(STRANGE)
        elif rng.random() < 0.5:
            header[make_text(rng)] = header.pop(name)
        else:
            header[name] = rng.choice((*STRANGE, rng.choice(NUMBERS)))
    return header


def make_weights(rng: random.Random) -> bytes:
    """Return a weight file that lies, or that was damaged on its way."""
    honest = pack(make_header())
    if rng.random() < 0.5:
        return pack(lie(rng, make_header()), rng.choice((0, 100, BODY_BYTES, BODY_BYTES, 4096)))
    if rng.random() < 0.1:
        nested = b"[" * rng.choice((10, 1000, 100_000))
        return len(nested).to_bytes(8, "little") + nested
    if rng.random() < 0.1:
        return rng.choice((2**63 - 1, 2**64 - 1, 10**8, 10**9)).to_bytes(8, "little") + honest[8:]
    return rng.choice(MUTATIONS)(rng, honest)
