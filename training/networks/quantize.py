"""A frozen network's linear layers kept in 4 bits a number: NF4 (Dettmers et al. 2023, QLoRA).

bitsandbytes rounds blocks of numbers, each block by its largest one, and works a layer's weights
out anew whenever they are needed. Other layers stay as they are.
"""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

from training.lazy import Tensor, torch

if TYPE_CHECKING:
    from bitsandbytes.functional import QuantState

BLOCK_NUMBERS = 64  #: numbers that share a largest one, kept in fp32
NF4_BYTES = 0.5 + 4 / BLOCK_NUMBERS  #: bytes


def is_available() -> bool:
    """Return whether bitsandbytes is installed."""
    return find_spec("bitsandbytes") is not None


def quantize(network: torch.nn.Module) -> None:
    """Round a network's frozen linear layers, each in its place, for good.

    Such a layer's weight still tells its shape, type and device, but holds no numbers any more.
    """
    from bitsandbytes.functional import quantize_4bit  # noqa: PLC0415 - not always here

    for layer in network.modules():
        learns = any(own.requires_grad for own in layer.parameters(recurse=False))
        if isinstance(layer, torch.nn.Linear) and not learns and "forward" not in vars(layer):
            weight = layer.weight
            packed, state = quantize_4bit(weight.data, blocksize=BLOCK_NUMBERS, quant_type="nf4")
            answering = partial(quantized_forward, layer, packed, state)
            layer.forward = answering  # type: ignore[method-assign]
            weight.data = weight.new_zeros(()).expand(weight.shape)


def quantized_forward(
    layer: torch.nn.Linear, packed: Tensor, state: QuantState, given: Tensor
) -> Tensor:
    """Compute the layer's output (..., out) of an input (..., in)."""
    from bitsandbytes import matmul_4bit  # noqa: PLC0415 - not always here

    found: Tensor = matmul_4bit(given, packed.t(), state, bias=layer.bias)
    return found
