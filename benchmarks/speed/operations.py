"""Tensor operations of a step in the true layout of Stable Diffusion 1.5, ours and plain peft's.

Counted on meta tensors, which have shapes and no numbers: from the noise forward and back to the
gradients, views left out; attention counts as the products it is made of, for both alike. No
machine and no load has a part in it.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from peft import LoHaConfig, LoKrConfig, LoraConfig, inject_adapter_in_model
from torch import nn

from benchmarks import machine, table
from benchmarks.memory.blueprint import META, make_family, make_recipe
from benchmarks.speed.overhead import count_operations
from benchmarks.speed.plain import add_noise
from training import methods
from training.modelfiles.configs import SD15, Shape

RANK, BATCH, TOKENS = 16, 1, 77
#: peft's adapter for each method, put on the same layers. DoRA and OFT begin by reading weights,
#: words by reading vectors, which are not there; hypernetworks peft has none.
PEFT: dict[str, type[Any]] = {
    "lora": LoraConfig, "locon": LoraConfig, "loha": LoHaConfig, "lokr": LoKrConfig,
}  # fmt: skip


def make_inputs(family: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Make latents and text states."""
    config = family.unet.config
    latents = torch.zeros((BATCH, config.in_channels, config.sample_size, config.sample_size))
    return latents, torch.zeros((BATCH, TOKENS, config.cross_attention_dim), device=META)


def count_ours(method: str, shape: Shape = SD15) -> tuple[Counter[str], list[str]]:
    """Count a step as the loop takes it; name the layers that are adapted, too."""
    family, asked = make_family("sd1", shape), make_recipe(method, 512)
    attached = methods.walk()[method].attach(family.networks, asked)
    latents, states = make_inputs(family)

    def step() -> None:
        loss = family.loss(
            latents, {"states": states}, torch.Generator(), min_snr_gamma=asked.min_snr_gamma
        )
        loss.backward()

    keys = {name.partition(".")[0] for name in attached.parameters}
    part = family.networks.parts[0]
    return count_operations(step), [
        name for name, _ in part.module.named_modules() if part.key(name) in keys
    ]


def count_plain(method: str, layers: Sequence[str], shape: Shape = SD15) -> Counter[str]:
    """Count a step of diffusers' documented loop with peft's adapter on the same layers."""
    family = make_family("sd1", shape)
    config = PEFT[method](r=RANK, target_modules=list(layers))
    inject_adapter_in_model(config, family.unet, "default")
    latents, states = make_inputs(family)
    latents = latents.to(META)

    def step() -> None:
        noisy, steps, target = add_noise(family.pipeline.scheduler, latents)
        predicted = family.unet(noisy, steps, states, return_dict=False)[0]
        nn.functional.mse_loss(predicted.float(), target.float()).backward()  # type: ignore[no-untyped-call]

    return count_operations(step)


def rows() -> Iterator[table.Row]:
    """Give each method's figures, which must not be above peft's."""
    for method in PEFT:
        mine, layers = count_ours(method)
        theirs = count_plain(method, layers)
        what = f"tensor operations of a step, {method} on {len(layers)} layers, ours and peft's"
        figure = f"{mine.total():,} and {theirs.total():,}"
        met = mine.total() <= theirs.total()
        yield table.Row(what, figure, "≤ peft's", met)


def main() -> int:
    """Print the table."""
    machine.parse_arguments(__doc__ or "")
    return table.print_table(rows())


if __name__ == "__main__":
    sys.exit(main())
