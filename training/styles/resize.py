"""Small LoRAs: of each layer's change the strongest directions are kept (Eckart and Young).

They are made of larger LoRAs, or extracted from whole models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from storage import limits
from storage.errors import JobError
from storage.events import SmallCopy
from training import methods
from training.methods._full import FullNetworks
from training.networks.keys import ALPHA, DOWN, UP, parse_key, split_key, to_file_keys
from training.recipe.recipe import Recipe
from training.styles import foreign, writer

HEADER_BYTES = 16_384  #: bytes of a file's header beside the names of tensors, at most
PLACE_BYTES = 90  #: bytes in which a header says where a tensor lies, beside its name
ALPHA_BYTES = 2
EXTRACTED_METHOD = "locon"  #: what a LoRA extracted from a whole model is read as
#: larger matrices are decomposed by random projections (Halko et al. 2009, arXiv 0909.4061)
EXACT_SIDE = 512
POWER_ITERATIONS, EXTRA_DIRECTIONS = 4, 8


@dataclass(frozen=True, slots=True)
class LayerSize:
    """How large a layer of a LoRA can get."""

    max_rank: int
    numbers: int  #: in `down` and `up` for each rank

    def count_parameters(self, rank: int) -> int:
        """Count what `down` and `up` of a rank hold."""
        return min(rank, self.max_rank) * self.numbers


@dataclass(frozen=True, slots=True)
class DecomposedLayer:
    """What one layer adds, taken apart: (out, r) times (r,) times (r, in ...)."""

    outs: Tensor
    values: Tensor
    ins: Tensor
    window: tuple[int, ...]  #: the shape of `down` after its rank
    energy: float  #: the square of the Frobenius norm of all that the layer adds

    @property
    def size(self) -> LayerSize:
        """Return how large it can get."""
        return LayerSize(len(self.values), len(self.outs) + self.ins.shape[1])

    def truncate(self, rank: int) -> tuple[Tensor, Tensor]:
        """Return `down` and `up` of a rank, each with the square root of the strength."""
        root = self.values[:rank].sqrt()
        down = (root[:, None] * self.ins[:rank]).reshape(-1, *self.window)
        up = self.outs[:, :rank] * root
        return down, up


@dataclass(frozen=True, slots=True)
class SmallLora:
    """A smaller LoRA and what it costs."""

    tensors: dict[str, Tensor]
    rank: int
    error: float  #: of all that the layers add, the part that is lost, by the Frobenius norm


def shrink(
    tensors: Mapping[str, Tensor], max_bytes: int, metadata: Mapping[str, str] | None = None
) -> SmallLora:
    """Reduce the rank of every layer to the largest with which a file of fp16 fits into `most`.

    Alpha equals the rank. Only plain LoRAs can be made smaller so; a bundled word goes along.
    `metadata` may have alphas that the tensors lack.
    """
    written = {parse_key(name): name for name in tensors}
    tensors = foreign.normalize(tensors, metadata)
    try:
        layers = {key: decompose(tensors, key) for key in layer_keys(tensors)}
    except (KeyError, RuntimeError, IndexError, ValueError, ZeroDivisionError) as broken:
        raise JobError("style_broken", reason="its layers don't fit together") from broken
    rest = {n: t for n, t in tensors.items() if split_key(n)[0] not in layers}
    fixed = sum(2 * tensor.numel() for tensor in rest.values())
    fixed += sum(ALPHA_BYTES + PLACE_BYTES + len(name) for name in tensors)
    rank = fit_rank([layer.size for layer in layers.values()], max_bytes, fixed)
    small = rename_as_written(truncate_layers(layers, rank), written)
    return SmallLora(rest | small, rank, relative_error(layers.values(), rank))


def extract_lora(trained: FullNetworks, max_bytes: int) -> SmallLora:
    """Return the LoRA nearest to what training changed in a whole model, as large as fits.

    What changed beside layers, such as biases and norms, is lost.
    """
    changes = trained.changes()
    shapes = [change.flatten(1).shape for change in changes.values()]
    sizes = [LayerSize(min(shape), sum(shape)) for shape in shapes]
    fixed = sum(3 * (PLACE_BYTES + len(key) + len(DOWN)) + ALPHA_BYTES for key in changes)
    rank = fit_rank(sizes, max_bytes, fixed)
    layers = {key: decompose_change(change, rank) for key, change in changes.items()}
    tensors = to_file_keys(truncate_layers(layers, rank))
    named = trained.networks.to_file_names(tensors)
    return SmallLora(named, rank, relative_error(layers.values(), rank))


def fit_rank(sizes: Iterable[LayerSize], max_bytes: int, fixed: int) -> int:
    """Return the largest rank whose layers fit in fp16 beside `fixed` bytes.

    It is at most a recipe's largest. Raises JobError("shrink_least") if not even rank 1 fits.
    """
    sizes, (_, most) = list(sizes), limits.RANK
    for rank in range(min(most, max(size.max_rank for size in sizes)), 0, -1):
        if fixed + 2 * sum(size.count_parameters(rank) for size in sizes) <= max_bytes:
            return rank
    raise JobError("shrink_least", most=max_bytes)


def rename_as_written(
    tensors: Mapping[str, Tensor], written: Mapping[tuple[str, str], str]
) -> dict[str, Tensor]:
    """Call tensors as their file does; an alpha that it lacks means 1, as ours does."""
    named = {written.get(parse_key(name), ""): tensor for name, tensor in tensors.items()}
    return {name: tensor for name, tensor in named.items() if name}


def layer_keys(tensors: Mapping[str, Tensor]) -> list[str]:
    """List the layers of a plain LoRA, or say that it is none."""
    found = sorted(name.removesuffix(f".{DOWN}") for name in tensors if name.endswith(f".{DOWN}"))
    ends = {end for layer, end in map(split_key, tensors) if layer in found}
    strange = ends - {DOWN, UP, ALPHA}
    if strange or not found:
        raise JobError("shrink_kind")
    return found


def decompose(tensors: Mapping[str, Tensor], key: str) -> DecomposedLayer:
    """Take one layer's product apart; the large matrix itself is never made."""
    down, up = (tensors[f"{key}.{end}"].float() for end in (DOWN, UP))
    alpha = float(tensors.get(f"{key}.{ALPHA}", torch.tensor(float(len(down)))))
    left, above = torch.linalg.qr(up.flatten(1) * (alpha / len(down)))
    right, below = torch.linalg.qr(down.flatten(1).T)
    outs, values, ins = torch.linalg.svd(above @ below.T)
    energy = float(values.square().sum())
    return DecomposedLayer(left @ outs, values, ins @ right.T, tuple(down.shape[1:]), energy)


def decompose_change(change: Tensor, rank: int) -> DecomposedLayer:
    """Take one layer's change (out, in ...) apart, a large one up to a rank, repeatably."""
    matrix = change.float().flatten(1)
    if min(matrix.shape) <= EXACT_SIDE:
        outs, values, ins = torch.linalg.svd(matrix, full_matrices=False)
    else:
        with torch.random.fork_rng([matrix.device] if matrix.is_cuda else []):
            torch.manual_seed(0)
            outs, values, right = torch.svd_lowrank(
                matrix, min(rank + EXTRA_DIRECTIONS, *matrix.shape), POWER_ITERATIONS
            )
            ins = right.T
    energy = float(matrix.square().sum())
    return DecomposedLayer(outs, values, ins, tuple(change.shape[1:]), energy)


def truncate_layers(layers: Mapping[str, DecomposedLayer], rank: int) -> dict[str, Tensor]:
    """Write layers of a rank; one that has less keeps what it has."""
    small: dict[str, Tensor] = {}
    for key, layer in layers.items():
        down, up = layer.truncate(rank)
        small[f"{key}.{DOWN}"] = down.contiguous()
        small[f"{key}.{UP}"] = up.reshape(*up.shape, *(1,) * (down.ndim - 2)).contiguous()
        small[f"{key}.{ALPHA}"] = torch.tensor(float(len(down)))
    return small


def relative_error(layers: Iterable[DecomposedLayer], rank: int) -> float:
    """Compare what is cut off with all there was, by the Frobenius norm."""
    layers = list(layers)
    whole = sum(layer.energy for layer in layers)
    kept = sum(float(layer.values[:rank].square().sum()) for layer in layers)
    return (max(0.0, whole - kept) / whole) ** 0.5 if whole else 0.0


def write_small_copy(
    path: Path,
    make: Callable[[int], SmallLora],
    recipe: Recipe,
    origin: writer.Origin,
    shown: Path | None,
) -> SmallCopy | None:
    """Write a LoRA that can be handed over where a file is too large; `make` takes the bytes."""
    if not recipe.max_file_bytes or path.stat().st_size <= recipe.max_file_bytes:
        return None
    try:
        found = make(recipe.max_file_bytes - HEADER_BYTES)
    except JobError:
        return None
    copy = path.with_suffix(".small.safetensors")
    told = replace(recipe, rank=found.rank)
    if not recipe.rank:  # a LoRA of every layer
        told = replace(told, method=EXTRACTED_METHOD, all_layers=True)
        origin = replace(origin, kind=methods.find(EXTRACTED_METHOD).TRAITS.modelspec)
    writer.write_style(copy, found.tensors, told, origin, shown)
    return SmallCopy(copy.name, copy.stat().st_size, found.rank, found.error)
