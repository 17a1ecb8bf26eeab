"""Count the bytes that a training step holds on the true architectures, on meta tensors.

Meta tensors have shapes but no data, so SDXL needs no memory here. Networks are bf16. CUDA's
autocast does not act on meta tensors, so its rules are imitated: products in bf16, norms in fp32,
attention as its flash kernel. The table compares the counts with the bot's estimates, for a
training step, for a generated picture and for one that passes through the autoencoder.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from accelerate import init_empty_weights
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from benchmarks import machine, table
from benchmarks.memory.footprint import Footprint
from storage.records import Base, Concept, Optimizer
from training import methods
from training.families import walk
from training.modelfiles import singlefile
from training.modelfiles.configs import Shape
from training.networks.memory import (
    CONTEXT_BYTES,
    PIXELS_PER_PLACE,
    VAE_BYTES,
    drawing_bytes,
    step_bytes,
    vae_bytes,
)
from training.recipe.concepts import TrainingPhoto
from training.recipe.recipe import Recipe

META = torch.device("meta")
BF16_OPERATIONS = {
    functional.linear,
    functional.conv2d,
    torch.conv2d,
    torch.matmul,
    torch.bmm,
    torch.addmm,
}
FP32_OPERATIONS = {functional.group_norm, functional.layer_norm}
TOKENS, LONG = 77, 512  #: tokens of a prompt, for CLIP and for a language model
GIB = 2**30
BAR = 15  #: percent
RESOLUTIONS = {"sd1": 512, "sd2": 768, "sdxl": 1024, "zimage": 1024}
CASES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("lora", {}), ("lora", {"train_text_encoder": True}), ("locon", {}),
    ("loha", {}), ("lokr", {}),
    ("finetune", {"rank": 0}), ("finetune", {"rank": 0, "train_text_encoder": True}),
    ("finetune", {"rank": 0, "optimizer": Optimizer.ADAFACTOR}),
)  # fmt: skip


class MetaDevice:
    """A device whose tensors have shapes but no data."""

    torch_device, cuda = META, None

    def __init__(self, dtype: torch.dtype = torch.float32) -> None:
        self.dtype = dtype


class Autocast(TorchFunctionMode):
    """Does what `torch.autocast("cuda", torch.bfloat16)` does to the operations that count."""

    def __init__(self) -> None:
        super().__init__()
        self.rounded: dict[torch.Tensor, torch.Tensor] = {}  #: bf16 copies, cached
        self.in_backward = False  #: in the backward pass each recomputed part has its own autocast

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Change an operation's inputs, or the operation itself, where autocast would."""
        kwargs = kwargs or {}
        if function is torch.Tensor.backward:  # recomputed parts are autocast, too
            self.rounded.clear()
            self.in_backward = True
            with self:
                return run_backward(args[0])
        if function in FP32_OPERATIONS:
            args, kwargs = to_fp32(args), dict(zip(kwargs, to_fp32(kwargs.values()), strict=True))
        elif function in BF16_OPERATIONS:
            args = tuple(map(self.round_tensor, args))
            kwargs = {name: self.round_tensor(value) for name, value in kwargs.items()}
        elif function is functional.scaled_dot_product_attention:
            inputs = [self.round_tensor(each) for each in (*args, *kwargs.values())][:3]
            return torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(*inputs)[0]  # noqa: SLF001
        return function(*args, **kwargs)

    def round_tensor(self, value: Any) -> Any:
        """Return an fp32 tensor as bf16; a trained one is converted only once."""
        if not isinstance(value, torch.Tensor) or value.dtype is not torch.float32:
            return value
        if self.in_backward or not (value.is_leaf and value.requires_grad):
            return value.bfloat16()
        if value not in self.rounded:
            self.rounded[value] = value.bfloat16()
        return self.rounded[value]


def to_fp32(values: Any) -> tuple[Any, ...]:
    """Return the values with tensors converted to fp32."""
    return tuple(each.float() if isinstance(each, torch.Tensor) else each for each in values)


def run_backward(loss: torch.Tensor) -> None:
    """Call `loss.backward()` by a route that a function mode can intercept."""
    torch.autograd.Variable._execution_engine.run_backward(  # noqa: SLF001
        (loss,), (torch.ones_like(loss),), False, False, (), allow_unreachable=True,
        accumulate_grad=True,
    )  # fmt: skip


def make_family(name: str, shape: Shape | None = None, dtype: torch.dtype = torch.float32) -> Any:
    """Return a family without weights, of true size or of the given shape."""
    family = walk()[name]
    base = Base("meta", "Meta", name, "meta", family.RESOLUTION, "", "", present=True)
    classes = [each for each in vars(family).values() if getattr(each, "name", "") == name]
    with init_empty_weights(include_buffers=False):
        pipeline = (
            singlefile.make_random_pipeline(shape)
            if shape
            else family.make_random_pipeline(large=True)
        )

    def read_pipeline(_: torch.dtype) -> Any:
        for network in pipeline.components.values():
            if isinstance(network, nn.Module):
                network.to(dtype)
        return pipeline

    return classes[0](read_pipeline, MetaDevice(dtype), base)


def make_recipe(method: str, side: int, batch: int = 1, **more: Any) -> Recipe:
    """Return a recipe of a method with plain settings."""
    flow = walk()[more.get("family", "sd1")].OBJECTIVE == "flow"
    options = {
        "all_layers": method == "locon",
        "rank": 16,
        **({"min_snr_gamma": 0.0} if flow else {}),
    } | more
    rank = options.pop("rank")
    return Recipe(
        method, "meta", "name", "word", Concept.LOOK, steps=10, rank=rank,
        learning_rate=1e-4, batch_size=batch, seed=0, resolution=side,
        photos=(TrainingPhoto("a.png", "word"),), **options,
    )  # fmt: skip


def make_conditions(family: Any, batch: int, *, live: bool) -> dict[str, torch.Tensor]:
    """Return what conditions the denoiser; `live` computes it with gradients."""
    if not family.networks.vocabularies:
        width = family.text_encoders[0].config.hidden_size
        states = torch.zeros((batch, LONG, width), dtype=family.denoiser.dtype, device=META)
        return {"states": states, "lengths": torch.full((batch,), LONG)}
    ids = torch.zeros((batch, len(family.text_encoders), TOKENS), dtype=torch.long, device=META)
    with torch.set_grad_enabled(live):
        states = family.embed_prompts(ids)
    sizes = torch.zeros((batch, 6), dtype=torch.long, device=META)
    return {**states, "sizes": sizes}


def list_trained(family: Any, networks: list[nn.Module], recipe: Recipe) -> Iterable[nn.Parameter]:
    """Return the trained parameters: attached adapters, or the networks themselves in fp32."""
    if recipe.rank:
        attached = methods.walk()[recipe.method].attach(family.networks, recipe)
        return attached.parameters.values()
    return [own for network in networks for own in network.float().requires_grad_().parameters()]


def count_step(name: str, recipe: Recipe, dtype: torch.dtype = torch.bfloat16) -> int:
    """Count the peak bytes of a training step, AdamW's moments included."""
    family = make_family(name, dtype=dtype)
    networks = [family.denoiser, *(family.text_encoders if recipe.train_text_encoder else ())]
    trained = list(list_trained(family, networks, recipe))
    family.set_gradient_checkpointing(recipe.gradient_checkpointing)
    side = recipe.resolution // 8
    latents = torch.zeros((recipe.batch_size, family.vae.config.latent_channels, side, side))
    conditions = (
        None
        if recipe.train_text_encoder
        else make_conditions(family, recipe.batch_size, live=False)
    )
    with Footprint() as footprint, Autocast():
        for network in networks:
            footprint.add_all(network.parameters())
        count = 0 if recipe.optimizer is Optimizer.ADAFACTOR else 2
        moments = [torch.zeros_like(each) for each in trained for _ in range(count)]
        conditions = conditions or make_conditions(family, recipe.batch_size, live=True)
        family.loss(latents, conditions, torch.Generator(), min_snr_gamma=5.0).backward()
        del conditions, moments
    return footprint.peak


def count_trained(name: str, recipe: Recipe) -> int:
    """Count the parameters that a recipe trains."""
    family = make_family(name)
    networks = [family.denoiser, *(family.text_encoders if recipe.train_text_encoder else ())]
    return sum(each.numel() for each in list_trained(family, networks, recipe))


def count_and_estimate(name: str, recipe: Recipe) -> tuple[int, int]:
    """Return the counted and the estimated bytes of a step, both with the CUDA context."""
    estimated = step_bytes(
        walk()[name].COUNTS.memory,
        recipe,
        count_trained(name, recipe),
        methods.find(recipe.method).TRAITS,
    )
    return count_step(name, recipe) + CONTEXT_BYTES, estimated + CONTEXT_BYTES


def count_denoiser(name: str, side: int) -> int:
    """Count the bytes that one denoiser call takes beside its parameters."""
    family = make_family(name, dtype=torch.bfloat16)
    latents = torch.zeros(
        (1, family.vae.config.latent_channels, side // PIXELS_PER_PLACE, side // PIXELS_PER_PLACE)
    )
    conditions = make_conditions(family, 1, live=False)
    with Footprint() as footprint, Autocast(), torch.no_grad():
        footprint.add_all([*family.denoiser.parameters(), *conditions.values()])
        before = footprint.live
        family.loss(latents, conditions, torch.Generator(), min_snr_gamma=5.0)
    return footprint.peak - before


def count_autoencoder(name: str, side: int) -> int:
    """Count the peak bytes of the fp32 autoencoder for one picture, encoding or decoding."""
    vae, counts = make_family(name).vae, []
    latents = torch.zeros(
        (1, vae.config.latent_channels, side // PIXELS_PER_PLACE, side // PIXELS_PER_PLACE)
    )
    for through, inputs in ((vae.encode, torch.zeros((1, 3, side, side))), (vae.decode, latents)):
        with Footprint() as footprint, torch.no_grad():
            footprint.add_all(vae.parameters())
            before = footprint.live
            through(inputs.to(META))
        counts.append(footprint.peak - before)
    return max(counts)


def count_parameters(network: nn.Module) -> tuple[int, int]:
    """Return the numbers of a network's parameters and of its linear layers' weights."""
    linear = (each.weight.numel() for each in network.modules() if isinstance(each, nn.Linear))
    return sum(each.numel() for each in network.parameters()), sum(linear)


def compare_parts(name: str, side: int) -> Iterator[table.Row]:
    """Compare the counts that the estimate uses for a family with its networks."""
    family, keeps = make_family(name), walk()[name].COUNTS.memory
    texts = sum(count_parameters(text)[0] for text in family.text_encoders)
    same = (*count_parameters(family.denoiser), texts) == (
        keeps.denoiser,
        keeps.linear,
        keeps.texts,
    )
    yield table.Row(f"{name}: numbers as counted", str(same).lower(), "true", same)
    taken = {
        "seeing once": (count_denoiser(name, side), drawing_bytes(keeps, side)),
        "autoencoder": (4 * count_parameters(family.vae)[0], VAE_BYTES),
        "what it keeps": (count_autoencoder(name, side), vae_bytes(side)),
    }
    for what, (whole, estimated) in taken.items():
        said = f"{name} at {side}, {what}: {whole / GIB:.3f} GiB"
        yield table.close_to(said, estimated, whole, BAR)


def rows(*, quick: bool) -> Iterator[table.Row]:
    """Compare estimated with counted bytes."""
    for name, side in RESOLUTIONS.items():
        yield from compare_parts(name, side)
        for method, more in CASES[: 1 if quick else None]:
            if "train_text_encoder" in more and walk()[name].OBJECTIVE == "flow":
                continue
            for checkpointing, batch in ((False, 1), (True, 1), (False, 4), (True, 4)):
                recipe = make_recipe(
                    method, side, batch, gradient_checkpointing=checkpointing, family=name, **more
                )
                whole, estimated = count_and_estimate(name, recipe)
                words = [
                    method,
                    *more,
                    f"batch {batch}",
                    *(["gradient checkpointing"] if checkpointing else []),
                ]
                what = f"{name} at {side}, {', '.join(words)}: {whole / GIB:.2f} GiB"
                yield table.close_to(what, estimated, whole, BAR)


def main() -> int:
    """Print the table."""
    arguments = machine.parse_arguments(__doc__ or "")
    return table.print_table(rows(quick=arguments.quick))


if __name__ == "__main__":
    sys.exit(main())
