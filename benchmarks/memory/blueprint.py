"""What a training's step holds on the true architectures, counted on meta tensors.

Meta tensors have shapes and no numbers, so an SDXL needs no memory here. Networks are bf16 and
compute under CUDA's rules of autocast, which meta tensors lack and are imitated: products in bf16,
norms in fp32, attention as its flash kernel. Beside the estimate this shows how far that is right,
for a step, for a picture that is drawn and for one that goes through the autoencoder.
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
TOKENS, LONG = 77, 512  #: of a prompt, as CLIP and as a language model read it
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
    """A device whose tensors have shapes alone."""

    torch_device = META

    def __init__(self, dtype: torch.dtype = torch.float32) -> None:
        self.dtype = dtype


class Autocast(TorchFunctionMode):
    """What `torch.autocast("cuda", torch.bfloat16)` does to the operations that matter here."""

    def __init__(self) -> None:
        super().__init__()
        self.rounded: dict[torch.Tensor, torch.Tensor] = {}  #: trained numbers, once on the way
        self.in_backward = (
            False  #: whether on the way back, where each part has an autocast of its own
        )

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Change an operation's inputs, or the operation, where autocast would."""
        kwargs = kwargs or {}
        if function is torch.Tensor.backward:  # what is computed anew is computed under it, too
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
            given = [self.round_tensor(each) for each in (*args, *kwargs.values())][:3]
            return torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(*given)[0]  # noqa: SLF001
        return function(*args, **kwargs)

    def round_tensor(self, value: Any) -> Any:
        """Round a tensor, one that is trained once."""
        if not isinstance(value, torch.Tensor) or value.dtype is not torch.float32:
            return value
        if self.in_backward or not (value.is_leaf and value.requires_grad):
            return value.bfloat16()
        if value not in self.rounded:
            self.rounded[value] = value.bfloat16()
        return self.rounded[value]


def to_fp32(values: Any) -> tuple[Any, ...]:
    """Give tensors in fp32."""
    return tuple(each.float() if isinstance(each, torch.Tensor) else each for each in values)


def run_backward(loss: torch.Tensor) -> None:
    """Go back from a loss: `loss.backward()`, as a mode can be asked for it."""
    torch.autograd.Variable._execution_engine.run_backward(  # noqa: SLF001
        (loss,), (torch.ones_like(loss),), False, False, (), allow_unreachable=True,
        accumulate_grad=True,
    )  # fmt: skip


def make_family(name: str, shape: Shape | None = None, dtype: torch.dtype = torch.float32) -> Any:
    """Make a family without weights, of true size or of a shape."""
    family = walk()[name]
    known = Base("meta", "Meta", name, "meta", family.RESOLUTION, "", "", present=True)
    classes = [each for each in vars(family).values() if getattr(each, "name", "") == name]
    with init_empty_weights(include_buffers=False):
        pipeline = (
            singlefile.make_random_pipeline(shape)
            if shape
            else family.make_random_pipeline(large=True)
        )

    def read(_: torch.dtype) -> Any:
        for network in pipeline.components.values():
            if isinstance(network, nn.Module):
                network.to(dtype)
        return pipeline

    return classes[0](read, MetaDevice(dtype), known)


def make_recipe(method: str, side: int, batch: int = 1, **more: Any) -> Recipe:
    """Ask for a method's plain form."""
    flow = walk()[more.get("family", "sd1")].OBJECTIVE == "flow"
    given = {
        "all_layers": method == "locon",
        "rank": 16,
        **({"min_snr_gamma": 0.0} if flow else {}),
    } | more
    rank = given.pop("rank")
    return Recipe(
        method, "meta", "name", "word", Concept.LOOK, steps=10, rank=rank,
        learning_rate=1e-4, batch_size=batch, seed=0, resolution=side,
        photos=(TrainingPhoto("a.png", "word"),), **given,
    )  # fmt: skip


def make_conditions(family: Any, batch: int, *, live: bool) -> dict[str, torch.Tensor]:
    """Give what a denoiser is told, read anew or kept."""
    if not family.networks.vocabularies:
        width = family.text_encoders[0].config.hidden_size
        states = torch.zeros((batch, LONG, width), dtype=family.denoiser.dtype, device=META)
        return {"states": states, "lengths": torch.full((batch,), LONG)}
    ids = torch.zeros((batch, len(family.text_encoders), TOKENS), dtype=torch.long, device=META)
    with torch.set_grad_enabled(live):
        read = family.embed_prompts(ids)
    sizes = torch.zeros((batch, 6), dtype=torch.long, device=META)
    return {**read, "sizes": sizes}


def list_trained(family: Any, networks: list[nn.Module], asked: Recipe) -> Iterable[nn.Parameter]:
    """Give what is trained: adapters put on, or the networks' own numbers in fp32."""
    if asked.rank:
        attached = methods.walk()[asked.method].attach(family.networks, asked)
        return attached.parameters.values()
    return [own for network in networks for own in network.float().requires_grad_().parameters()]


def count_step(name: str, asked: Recipe, dtype: torch.dtype = torch.bfloat16) -> int:
    """Count the bytes that a step holds, at most; with AdamW's moments there, if it is AdamW."""
    family = make_family(name, dtype=dtype)
    networks = [family.denoiser, *(family.text_encoders if asked.train_text_encoder else ())]
    trained = list(list_trained(family, networks, asked))
    family.set_gradient_checkpointing(asked.gradient_checkpointing)
    side = asked.resolution // 8
    latents = torch.zeros((asked.batch_size, family.vae.config.latent_channels, side, side))
    told = (
        None if asked.train_text_encoder else make_conditions(family, asked.batch_size, live=False)
    )
    with Footprint() as footprint, Autocast():
        for network in networks:
            footprint.add_all(network.parameters())
        count = 0 if asked.optimizer is Optimizer.ADAFACTOR else 2
        moments = [torch.zeros_like(each) for each in trained for _ in range(count)]
        told = told or make_conditions(family, asked.batch_size, live=True)
        family.loss(latents, told, torch.Generator(), min_snr_gamma=5.0).backward()
        del told, moments
    return footprint.peak


def count_trained(name: str, asked: Recipe) -> int:
    """Count the numbers that a recipe trains."""
    family = make_family(name)
    networks = [family.denoiser, *(family.text_encoders if asked.train_text_encoder else ())]
    return sum(each.numel() for each in list_trained(family, networks, asked))


def count_and_estimate(name: str, asked: Recipe) -> tuple[int, int]:
    """Give the bytes that are counted, and those of the estimate; the context is in either."""
    foretold = step_bytes(
        walk()[name].COUNTS.memory,
        asked,
        count_trained(name, asked),
        methods.find(asked.method).TRAITS,
    )
    return count_step(name, asked) + CONTEXT_BYTES, foretold + CONTEXT_BYTES


def count_denoiser(name: str, side: int) -> int:
    """Count the bytes that the denoiser takes to see through a picture, beside its numbers."""
    family = make_family(name, dtype=torch.bfloat16)
    latents = torch.zeros(
        (1, family.vae.config.latent_channels, side // PIXELS_PER_PLACE, side // PIXELS_PER_PLACE)
    )
    told = make_conditions(family, 1, live=False)
    with Footprint() as footprint, Autocast(), torch.no_grad():
        footprint.add_all([*family.denoiser.parameters(), *told.values()])
        before = footprint.live
        family.loss(latents, told, torch.Generator(), min_snr_gamma=5.0)
    return footprint.peak - before


def count_autoencoder(name: str, side: int) -> int:
    """Count the bytes that the autoencoder takes in fp32 for a picture, in or out, at most."""
    vae, counts = make_family(name).vae, []
    latents = torch.zeros(
        (1, vae.config.latent_channels, side // PIXELS_PER_PLACE, side // PIXELS_PER_PLACE)
    )
    for through, given in ((vae.encode, torch.zeros((1, 3, side, side))), (vae.decode, latents)):
        with Footprint() as footprint, torch.no_grad():
            footprint.add_all(vae.parameters())
            before = footprint.live
            through(given.to(META))
        counts.append(footprint.peak - before)
    return max(counts)


def count_parameters(network: nn.Module) -> tuple[int, int]:
    """Count a network's numbers, and those of its linear layers' weights."""
    linear = (each.weight.numel() for each in network.modules() if isinstance(each, nn.Linear))
    return sum(each.numel() for each in network.parameters()), sum(linear)


def compare_parts(name: str, side: int) -> Iterator[table.Row]:
    """Compare what the estimate knows of a family with its networks."""
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
    for what, (whole, foretold) in taken.items():
        said = f"{name} at {side}, {what}: {whole / GIB:.3f} GiB"
        yield table.close_to(said, foretold, whole, BAR)


def rows(*, quick: bool) -> Iterator[table.Row]:
    """Compare estimates with what is counted."""
    for name, side in RESOLUTIONS.items():
        yield from compare_parts(name, side)
        for method, more in CASES[: 1 if quick else None]:
            if "train_text_encoder" in more and walk()[name].OBJECTIVE == "flow":
                continue
            for frugal, batch in ((False, 1), (True, 1), (False, 4), (True, 4)):
                asked = make_recipe(
                    method, side, batch, gradient_checkpointing=frugal, family=name, **more
                )
                whole, foretold = count_and_estimate(name, asked)
                words = [method, *more, f"batch {batch}", *(["frugal"] if frugal else [])]
                what = f"{name} at {side}, {', '.join(words)}: {whole / GIB:.2f} GiB"
                yield table.close_to(what, foretold, whole, BAR)


def main() -> int:
    """Print the table."""
    arguments = machine.parse_arguments(__doc__ or "")
    return table.print_table(rows(quick=arguments.quick))


if __name__ == "__main__":
    sys.exit(main())
