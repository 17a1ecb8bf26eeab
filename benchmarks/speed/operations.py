"""Count the tensor operations of a step on Stable Diffusion 1.5, ours and plain peft's.

Counted on meta tensors, which have shapes but no data: forward and backward without views;
attention counts as its products in both. Neither the machine nor its load matters.
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
#: peft's adapter for each method, on the same layers. DoRA, OFT and learned words read weights at
#: the start, which meta tensors lack; peft has no hypernetworks.
PEFT: dict[str, type[Any]] = {
    "lora": LoraConfig, "locon": LoraConfig, "loha": LoHaConfig, "lokr": LoKrConfig,
}  # fmt: skip


def make_inputs(family: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Return latents and text embeddings."""
    config = family.unet.config
    latents = torch.zeros((BATCH, config.in_channels, config.sample_size, config.sample_size))
    return latents, torch.zeros((BATCH, TOKENS, config.cross_attention_dim), device=META)


def count_ours(method: str, shape: Shape = SD15) -> tuple[Counter[str], list[str]]:
    """Count the operations of the loop's step; also return the names of the adapted layers."""
    family, recipe = make_family("sd1", shape), make_recipe(method, 512)
    attached = methods.walk()[method].attach(family.networks, recipe)
    latents, states = make_inputs(family)

    def step() -> None:
        loss = family.loss(
            latents, {"states": states}, torch.Generator(), min_snr_gamma=recipe.min_snr_gamma
        )
        loss.backward()

    keys = {name.partition(".")[0] for name in attached.parameters}
    part = family.networks.parts[0]
    return count_operations(step), [
        name for name, _ in part.module.named_modules() if part.key(name) in keys
    ]


def count_plain(method: str, layers: Sequence[str], shape: Shape = SD15) -> Counter[str]:
    """Count the operations of diffusers' documented loop with peft's adapter on these layers."""
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
    """Yield each method's counts, which must not exceed peft's."""
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
