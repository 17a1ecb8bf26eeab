"""Count the facts about true networks in the JSON file beside each family.

    python -m benchmarks.memory.counts                    compare, 2 minutes of one core
    python -m benchmarks.memory.counts --write [FAMILY]   count again and write

A new family needs no numbers typed by hand: write its module, then run the second command.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from benchmarks.memory import blueprint
from storage.records import Optimizer
from training import families
from training.bases.cache import BaseCache
from training.device import Device
from training.networks import memory
from training.networks.counts import Counts
from training.networks.memory import PIXELS_PER_PLACE, MemoryCounts
from training.networks.networks import Networks, Part
from training.networks.sizes import HEADER_BYTES_PER_TENSOR, SMALL_FILE, Layers, Sizes

BATCH = 4  #: pictures in the steps that are counted
STEP_BYTES = 100  #: counted bytes per latent place are rounded up to a multiple of this
FILE_BYTES = 100_000  #: a file's bytes are rounded up to this, which leaves room for its header


class OnMeta(TorchFunctionMode):
    """Leaves tensors where they are when they are asked to move to the CPU."""

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Call a function of torch, but return the tensor itself instead of a copy on the CPU."""
        return args[0] if function is torch.Tensor.cpu else function(*args, **(kwargs or {}))


def round_up(value: float, step: int) -> int:
    """Return the next multiple of a step."""
    return int(-(-value // step)) * step


def count_layers(parts: Iterable[Part]) -> Layers:
    """Count the layers of networks by outputs, inputs and kernel area."""
    attention: Counter[tuple[int, int, int]] = Counter()
    further: Counter[tuple[int, int, int]] = Counter()
    for part in parts:
        own = {id(layer) for layer in Part("", part.module, part.targets).layers().values()}
        for layer in part.layers().values():
            out, inner, *window = layer.weight.shape
            shape = (out, inner, window[0] * window[1] if window else 1)
            (attention if id(layer) in own else further)[shape] += 1
    rows = [tuple(sorted((*shape, n) for shape, n in c.items())) for c in (attention, further)]
    return Layers(*rows)


def count_sizes(family: Any) -> Sizes:
    """Count the layers, the embedding widths and the file's bytes of a loaded family."""
    networks: Networks = family.networks
    with OnMeta():
        tensors = family.to_single_file({}).values()
    file = sum(2 * tensor.numel() + HEADER_BYTES_PER_TENSOR for tensor in tensors)
    return Sizes(
        count_layers(part for part in networks.parts if not part.is_text_encoder),
        count_layers(part for part in networks.parts if part.is_text_encoder),
        round_up(file, FILE_BYTES),
        tuple(each.embedding.weight.shape[1] for each in networks.vocabularies),
    )


def count_kept(name: str, method: str, **more: Any) -> float:
    """Return the bytes per latent place and picture that a step holds beside its parameters."""
    side = families.walk()[name].RESOLUTION
    recipe = blueprint.make_recipe(method, side, BATCH, family=name, **more)
    numbers = blueprint.count_trained(name, recipe)
    held = memory.bytes_per_parameter(recipe) * numbers
    if recipe.rank:
        held += memory.FROZEN_BYTES * count_numbers(blueprint.make_family(name).denoiser)
    return (blueprint.count_step(name, recipe) - held) / BATCH / (side // PIXELS_PER_PLACE) ** 2


def count_numbers(*networks: nn.Module) -> int:
    """Count the parameters of networks."""
    return sum(blueprint.count_parameters(network)[0] for network in networks)


def count_memory(name: str) -> MemoryCounts:
    """Count a family's networks, and what training and sampling steps hold."""
    family, side = blueprint.make_family(name), families.walk()[name].RESOLUTION
    denoiser, linear = blueprint.count_parameters(family.denoiser)
    adapters = [
        count_kept(name, method, gradient_checkpointing=True) for method in ("lora", "locon")
    ]
    kept = {
        "attention": count_kept(name, "lora"),
        "every": count_kept(name, "locon"),
        "frugal": sum(adapters) / len(adapters),
        "seen": blueprint.count_denoiser(name, side) / (side // PIXELS_PER_PLACE) ** 2,
        "whole": count_kept(name, "finetune", rank=0, optimizer=Optimizer.ADAFACTOR),
    }
    return MemoryCounts(
        denoiser=denoiser,
        linear=linear,
        texts=count_numbers(*family.text_encoders),
        **{what: round_up(value, STEP_BYTES) for what, value in kept.items()},
    )


def count(name: str) -> Counts:
    """Count a family's true networks, on meta tensors."""
    return Counts(count_memory(name), count_sizes(blueprint.make_family(name)))


def count_small() -> Sizes:
    """Count the embedded base; its sizes stand for every small base."""
    with BaseCache(None, Device.open(cpu=True)).borrow("embedded") as family:
        return count_sizes(family)


def to_json(counts: Counts | Sizes) -> str:
    """Return counts as JSON, each row of numbers on one line."""
    text = json.dumps(asdict(counts), indent=1)
    return re.sub(r"\[([\d,\s]+)\]", lambda row: "[" + " ".join(row[1].split()) + "]", text) + "\n"


def main() -> int:
    """Compare the files with new counts, or write them; return 1 if one differs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory.counts")
    parser.description = (__doc__ or "").partition("\n")[0]
    parser.add_argument("--write", action="store_true", help="write what is counted")
    parser.add_argument("family", nargs="*", help="all, and the small base, unless named")
    arguments = parser.parse_args()
    stale = False
    for name in arguments.family or ("small", *families.names()):
        file = SMALL_FILE if name == "small" else Path(families.__file__).with_name(f"{name}.json")
        text = to_json(count_small() if name == "small" else count(name))
        same = file.exists() and file.read_text("utf-8") == text
        if arguments.write:
            file.write_text(text, "utf-8")
        stale |= not (same or arguments.write)
        print(f"{name}: {'equal' if same else 'written' if arguments.write else 'differs'}")
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
