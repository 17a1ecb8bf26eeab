"""Layers of the LyCORIS family (Yeh et al. 2023, arXiv 2309.14859) at work on a base.

LyCORIS' own modules hold what is trained and say what it adds to a weight, one a layer: its
presets, which are global, are not used, nor its way forward, which adds the weight to that and
takes it off again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from math import isqrt
from typing import Any

from storage.errors import JobError
from storage.records import Base, Rule
from training.lazy import Tensor, torch
from training.methods import lora
from training.methods._defaults import trains_text_encoder
from training.networks.counts import FamilyNumbers, file_sizes
from training.networks.keys import split_key, to_kohya_keys
from training.networks.networks import Layer, Networks
from training.networks.sizes import HEADER_BYTES_PER_TENSOR, Row
from training.recipe.recipe import Recipe

logging.getLogger("LyCORIS").setLevel(logging.ERROR)  # else it tells the shape of every layer

MAX_LAYER_NUMBERS = 1 << 27  #: of the largest layer of any base, and more

Parts = Mapping[str, Tensor]  #: the tensors of one layer by the ends of their keys


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One algorithm of the LyCORIS family."""

    name: str  #: of the method
    make_module: Callable[[str, Layer, int], Any]  #: LyCORIS' module for a key, a layer and a rank
    module_delta: Callable[[Any, Tensor], Tensor]  #: what a module adds to its layer's weight
    file_delta: Callable[[Parts, Tensor], Tensor]  #: the same of a file's tensors
    key_ends: frozenset[str]  #: how keys may end
    rate_factor: float  #: as a multiple of a plain LoRA's
    rank_factor: float  #: the same
    #: the numbers and tensors of a layer's module, by the layer's outputs, inputs, places of its
    #: kernel, and a rank
    count_parameters: Callable[[int, int, int, int], tuple[int, int]]

    def attach(self, networks: Networks, recipe: Recipe) -> LycorisAdapter:
        """Attach modules to train."""
        return LycorisAdapter(networks, recipe, self)

    def check(self, networks: Networks, tensors: dict[str, Tensor]) -> None:
        """Refuse tensors that are not of this kind for these networks."""
        layers = networks.find_layers()
        if not tensors:
            raise JobError("style_broken", reason="empty")
        for name, tensor in to_kohya_keys(tensors).items():
            key, end = split_key(name)
            if key not in layers:
                reason = f"this base has no layer {key[:80] or name[:80]}"
                raise JobError("style_broken", reason=reason)
            if end not in self.key_ends:
                reason = f"the method {self.name} has no tensor like {name[:80]}"
                raise JobError("style_broken", reason=reason)
            sound = 0 < tensor.numel() <= layers[key].weight.numel() and tensor.is_floating_point()
            if not sound:
                raise JobError("style_broken", reason=f"{name[:80]} doesn't fit its layer")
        for key, parts in sorted(group_by_layer(tensors).items()):
            self.compute_delta(key, parts, layers[key].weight)

    def compute_delta(self, key: str, parts: Parts, weight: Tensor) -> Tensor:
        """Return a file's delta of a layer's weight (out, in, ...).

        Raises JobError("style_broken") for tensors that do not fit the layer.
        """
        try:
            with torch.no_grad():
                delta = self.file_delta(
                    {end: part.float() for end, part in parts.items()}, weight.float()
                )
                delta = delta.view_as(weight)
        except (KeyError, RuntimeError, IndexError, ValueError) as broken:
            raise JobError(
                "style_broken", reason=f"tensors of {key[:80]} don't fit together"
            ) from broken
        if not torch.isfinite(delta).all():
            raise JobError("style_broken", reason=f"{key[:80]} has infinite numbers or NaN")
        return delta

    @contextmanager
    def apply(
        self, networks: Networks, tensors: dict[str, Tensor], _word: str, strength: float
    ) -> Iterator[None]:
        """Apply a file inside the block; the base's own tensors are never touched."""
        layers = networks.find_layers()
        handles: list[torch.utils.hooks.RemovableHandle] = []
        try:
            for key, parts in sorted(group_by_layer(tensors).items()):
                weight = layers[key].weight
                here = {end: part.to(weight.device) for end, part in parts.items()}
                delta = (self.compute_delta(key, here, weight) * strength).to(weight)
                handles.append(layers[key].register_forward_hook(partial(add_delta, delta)))
            yield
        finally:
            for handle in handles:
                handle.remove()

    def file_bytes(self, rank: int, rows: Iterable[Row]) -> int:
        """Return the expected size of a file: two bytes a number, and the header."""
        found = 0
        for out, inner, window, count in rows:
            numbers, tensors = self.count_parameters(out, inner, window, rank)
            found += count * (2 * numbers + HEADER_BYTES_PER_TENSOR * tensors)
        return found

    def rules(self, base: Base, family: FamilyNumbers) -> Iterator[Rule]:
        """Return the rules of the dial: a LoRA's, but for the rate."""
        for rule in lora.rules(base, family):
            text = trains_text_encoder(rule.concept, base, family)
            rank = max(1, round(rule.rank * self.rank_factor))
            yield replace(
                rule,
                method=self.name,
                rank=rank,
                learning_rate=rule.learning_rate * self.rate_factor,
                source=self.name_source(rule, small=base.small),
                file_bytes=self.file_bytes(rank, file_sizes(base, family).rows(text=text)),
            )

    def name_source(self, rule: Rule, *, small: bool) -> str:
        """Return where the numbers come from: a LoRA's rule, but for rate and rank."""
        factors = {"rate": self.rate_factor, "rank": self.rank_factor}
        changed = [f"{name} times {by:g}" for name, by in factors.items() if by != 1]
        return rule.source if small or not changed else ", but ".join(["as a LoRA", *changed])


class LycorisAdapter:
    """An algorithm's modules beside all layers of a base."""

    rate_factors: Mapping[str, float] = {}

    def __init__(self, networks: Networks, recipe: Recipe, kind: Algorithm) -> None:
        self.networks, self.learns_text = (
            networks,
            recipe.train_text_encoder and networks.has_text_encoder,
        )
        self.algorithm, self.enabled = kind, True
        self.modules: dict[str, Any] = {}
        self.handles: list[torch.utils.hooks.RemovableHandle] = []
        with torch.random.fork_rng():
            torch.manual_seed(recipe.seed)
            for part in networks.parts:
                if recipe.train_text_encoder or not part.is_text_encoder:
                    for key, layer in part.layers().items():
                        module = kind.make_module(key, layer, recipe.rank).to(layer.weight.device)
                        self.modules[key] = module
                        answer = partial(self.add_to_output, module)
                        self.handles.append(layer.register_forward_hook(answer))
        networks.attached = self

    @property
    def parameters(self) -> dict[str, torch.nn.Parameter]:
        """Return the trained parameters by name."""
        return {
            f"{key}.{name}": parameter
            for key, module in self.modules.items()
            for name, parameter in module.named_parameters()
        }

    def weights(self) -> dict[str, Tensor]:
        """Return the file's tensors, by LyCORIS' names."""
        return {
            f"{key}.{name}": tensor.detach().cpu()
            for key, module in self.modules.items()
            for name, tensor in module.state_dict().items()
        }

    def add_to_output(
        self, module: Any, layer: Layer, given: tuple[Tensor, ...], out: Tensor
    ) -> Tensor | None:
        """Add a module's delta to its layer's output, unless the adapter is disabled."""
        if not self.enabled:
            return None
        more = apply_weight(layer, given[0], self.algorithm.module_delta(module, layer.weight))
        return out + self.networks.apply_dropout(more)

    @contextmanager
    def disabled(self) -> Iterator[None]:
        """Disable the adapter inside the block."""
        self.enabled = False
        try:
            yield
        finally:
            self.enabled = True

    def detach(self) -> None:
        """Remove the modules."""
        for handle in self.handles:
            handle.remove()
        self.networks.attached = None


def group_by_layer(tensors: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Return a file's tensors by layer, and by the ends of their keys."""
    found: dict[str, dict[str, Tensor]] = {}
    for name, tensor in to_kohya_keys(tensors).items():
        key, end = split_key(name)
        found.setdefault(key, {})[end] = tensor
    return found


def apply_weight(layer: Layer, given: Tensor, weight: Tensor) -> Tensor:
    """Apply a weight in a layer's place, without a bias."""
    if isinstance(layer, torch.nn.Conv2d):
        return torch.nn.functional.conv2d(given, weight, None, layer.stride, layer.padding)
    return torch.nn.functional.linear(given, weight)


def add_delta(delta: Tensor, layer: Layer, given: tuple[Tensor, ...], out: Tensor) -> Tensor:
    """Add a weight's delta to a layer's output (a forward hook)."""
    return out + apply_weight(layer, given[0], delta)


def additive_delta(module: Any, weight: Tensor) -> Tensor:
    """Return the delta of a module that only adds to its weight."""
    gained: Tensor = module.get_weight(weight.shape)
    return gained


def multiply_factors(parts: Parts, up: str, down: str) -> Tensor:
    """Multiply two factors, (out, rank) and (rank, in, ...), to (out, all the rest).

    Raises ValueError for a product that no layer is as large as: a bad file asks for one.
    """
    left, right = parts[up].flatten(1), parts[down].flatten(1)
    if len(left) * right.shape[1] > MAX_LAYER_NUMBERS:
        raise ValueError("a product larger than any layer")
    return left @ right


def alpha_scale(parts: Parts, rank: int) -> float:
    """Return alpha divided by rank; 1 without an alpha."""
    return float(parts["alpha"]) / rank if "alpha" in parts else 1.0


def factorize(dimension: int, target: int) -> tuple[int, int]:
    """Cut a dimension into two factors, the smaller first: near a number, or below it.

    As LyCORIS does (`functional/general.py`, factorization), whose import takes seconds.
    """
    if dimension % target == 0:
        small = target
    else:
        root = isqrt(dimension)
        small = max(at for at in range(1, min(target, root) + 1) if dimension % at == 0)
    other = dimension // small
    return min(small, other), max(small, other)
