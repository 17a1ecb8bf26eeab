"""The names of the tensors in a style's file: of a layer, and of what is beside it.

A layer's own name has no dots where kohya's rules hold (`lora_unet_x`), else those of the network
(`diffusion_model.x.0`); so the end is cut off, not the beginning. Where there are dots, a LoRA's
two halves are called as peft calls them; here they always have kohya's names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

Value = TypeVar("Value")

DOWN, UP, ALPHA = "lora_down.weight", "lora_up.weight", "alpha"
PEFT_BY_KOHYA = {DOWN: "lora_A.weight", UP: "lora_B.weight"}
KOHYA_BY_PEFT = {theirs: ours for ours, theirs in PEFT_BY_KOHYA.items()}
#: one half of a LoRA as kohya, peft, diffusers (old and new), XLabs and OneTrainer write it:
#: `x.lora_down.weight`, `x.lora_A.default.weight`, `x.lora.down.weight`,
#: `x.lora_linear_layer.down.weight`, `x.processor.to_q_lora.down.weight`, `qkv_lora1.down.weight`
HALF = re.compile(
    r"(.+?)(?:[._]lora(?:_linear_layer)?\d*\.|\.lora_)(down|up|A|B)(?:\.[^.]+)?\.weight"
)
#: other tensors of a layer, also with an adapter's name behind them, as peft writes it
OTHER = re.compile(
    r"(.+?)\.(alpha|dora_scale|lora_mid|hada_\w+|lokr_\w+|oft_blocks|oft_diag|diff(?:_b)?"
    r"|[ab][12]|lora_magnitude_vector)(?:\.default|\.weight){0,2}"
)
OWN_ENDS = {"down": DOWN, "A": DOWN, "up": UP, "B": UP, "lora_magnitude_vector": "dora_scale"}


def parse_key(name: str) -> tuple[str, str]:
    """Cut anybody's name after its layer; its end is called as kohya and LyCORIS call it."""
    found = HALF.fullmatch(name) or OTHER.fullmatch(name)
    if found is None:
        return split_key(name)
    layer, end = found.groups()
    return layer.replace(".processor.", "."), OWN_ENDS.get(end, end)


def find_layer(name: str) -> str:
    """Return the layer of anybody's key, also of a whole model's."""
    found = HALF.fullmatch(name) or OTHER.fullmatch(name)
    layer = found[1] if found else name.removesuffix(".weight").removesuffix(".bias")
    return layer.replace(".processor.", ".")


def split_key(name: str) -> tuple[str, str]:
    """Cut a name after its layer: `lora_unet_x` and `alpha`, or `lora_up.weight`."""
    weight = ".weight" if name.endswith(".weight") else ""
    layer, _, end = name.removesuffix(weight).rpartition(".")
    return layer, end + weight


def to_kohya_keys(tensors: Mapping[str, Value]) -> dict[str, Value]:
    """Call both halves of LoRAs as kohya does."""
    return rename_ends(tensors, lambda _, end: KOHYA_BY_PEFT.get(end, end))


def to_file_keys(tensors: Mapping[str, Value]) -> dict[str, Value]:
    """Call both halves of LoRAs as programs expect them, by whether their layers have dots."""
    return rename_ends(
        tensors, lambda layer, end: PEFT_BY_KOHYA.get(end, end) if "." in layer else end
    )


def rename_ends(
    tensors: Mapping[str, Value], called: Callable[[str, str], str]
) -> dict[str, Value]:
    """Call what is of a layer otherwise."""
    found = {}
    for name, each in tensors.items():
        layer, end = split_key(name)
        found[f"{layer}.{called(layer, end)}" if layer else name] = each
    return found
