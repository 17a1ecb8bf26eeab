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
from training.networks.counts import FamilyNumbers, sizes
from training.networks.keys import cut
from training.networks.networks import Layer, Networks
from training.networks.sizes import NAME, Row
from training.recipe.recipe import Recipe

logging.getLogger("LyCORIS").setLevel(logging.ERROR)  # else it tells the shape of every layer

Parts = Mapping[str, Tensor]  #: the tensors of one layer by the ends of their keys


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the family."""

    name: str  #: of the method
    make: Callable[[str, Layer, int], Any]  #: LyCORIS' module for a key, a layer and a rank
    gain: Callable[[Any, Tensor], Tensor]  #: what a module adds to its layer's weight
    delta: Callable[[Parts, Tensor], Tensor]  #: the same of a file's tensors
    ends: frozenset[str]  #: how keys may end
    rate: float  #: as a multiple of a plain LoRA's
    rank: float  #: the same
    #: the numbers and tensors of a layer's module, by the layer's outputs, inputs, places of its
    #: kernel, and a rank
    numbers: Callable[[int, int, int, int], tuple[int, int]]

    def attach(self, networks: Networks, recipe: Recipe) -> Lycoris:
        """Make ready to train."""
        return Lycoris(networks, recipe, self)

    def check(self, networks: Networks, tensors: dict[str, Tensor]) -> None:
        """Refuse tensors that are not of this kind for these networks."""
        layers = {key: layer for part in networks.parts for key, layer in part.layers().items()}
        if not tensors:
            raise JobError("style_broken", reason="empty")
        for name, tensor in tensors.items():
            key, end = cut(name)
            if key not in layers or end not in self.ends:
                raise JobError("style_broken", reason=f"unknown key {name[:80]}")
            if tensor.numel() > layers[key].weight.numel() or not tensor.is_floating_point():
                raise JobError("style_broken", reason=f"wrong tensor {name[:80]}")
        for key, parts in sorted(by_layer(tensors).items()):
            self.changed(key, parts, layers[key].weight)

    def changed(self, key: str, parts: Parts, weight: Tensor) -> Tensor:
        """Work out what a layer's weight (out, in, ...) gains, or say for which it is amiss."""
        try:
            with torch.no_grad():
                delta = self.delta(
                    {end: part.float() for end, part in parts.items()}, weight.float()
                )
                delta = delta.view_as(weight)
        except (KeyError, RuntimeError, IndexError, ValueError) as broken:
            raise JobError("style_broken", reason=f"wrong tensors of {key[:80]}") from broken
        if not torch.isfinite(delta).all():
            raise JobError("style_broken", reason=f"not a number in {key[:80]}")
        return delta

    @contextmanager
    def worn(
        self,
        networks: Networks,
        tensors: dict[str, Tensor],
        word: str,  # noqa: ARG002  # the trigger is only said
        strength: float,
    ) -> Iterator[None]:
        """Draw with a file inside the block; the base's own tensors are never touched."""
        layers = {key: layer for part in networks.parts for key, layer in part.layers().items()}
        handles: list[torch.utils.hooks.RemovableHandle] = []
        try:
            for key, parts in sorted(by_layer(tensors).items()):
                weight = layers[key].weight
                here = {end: part.to(weight.device) for end, part in parts.items()}
                delta = (self.changed(key, here, weight) * strength).to(weight)
                handles.append(layers[key].register_forward_hook(partial(beside, delta)))
            yield
        finally:
            for handle in handles:
                handle.remove()

    def size(self, rank: int, rows: Iterable[Row]) -> int:
        """Expect the size of a file: two bytes a number, and a header that names every tensor."""
        found = 0
        for out, inner, window, count in rows:
            numbers, tensors = self.numbers(out, inner, window, rank)
            found += count * (2 * numbers + NAME * tensors)
        return found

    def rules(self, base: Base, family: FamilyNumbers) -> Iterator[Rule]:
        """Return the rules of the dial: a LoRA's, but for the rate."""
        for rule in lora.rules(base, family):
            text = trains_text_encoder(rule.concept, base, family)
            rank = max(1, round(rule.rank * self.rank))
            yield replace(
                rule,
                method=self.name,
                rank=rank,
                learning_rate=rule.learning_rate * self.rate,
                file_bytes=self.size(rank, sizes(base, family).rows(text=text)),
            )


class Lycoris:
    """A kind's modules beside all layers of a base."""

    paces: Mapping[str, float] = {}

    def __init__(self, networks: Networks, recipe: Recipe, kind: Kind) -> None:
        self.networks, self.text = networks, recipe.train_text_encoder and networks.text
        self.kind, self.on = kind, True
        self.modules: dict[str, Any] = {}
        self.handles: list[torch.utils.hooks.RemovableHandle] = []
        with torch.random.fork_rng():
            torch.manual_seed(recipe.seed)
            for part in networks.parts:
                if recipe.train_text_encoder or not part.text:
                    for key, layer in part.layers().items():
                        module = kind.make(key, layer, recipe.rank).to(layer.weight.device)
                        self.modules[key] = module
                        answer = partial(self.answer, module)
                        self.handles.append(layer.register_forward_hook(answer))
        networks.attached = self

    @property
    def parameters(self) -> dict[str, torch.nn.Parameter]:
        """Name what is trained."""
        return {
            f"{key}.{name}": parameter
            for key, module in self.modules.items()
            for name, parameter in module.named_parameters()
        }

    def weights(self) -> dict[str, Tensor]:
        """Give the file's tensors, by the names LyCORIS gives them."""
        return {
            f"{key}.{name}": tensor.detach().cpu()
            for key, module in self.modules.items()
            for name, tensor in module.state_dict().items()
        }

    def answer(
        self, module: Any, layer: Layer, given: tuple[Tensor, ...], out: Tensor
    ) -> Tensor | None:
        """Add what a module adds to its layer's answer, unless it is aside."""
        if not self.on:
            return None
        more = through(layer, given[0], self.kind.gain(module, layer.weight))
        return out + self.networks.dropped(more)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Make the networks behave as without it inside the block."""
        self.on = False
        try:
            yield
        finally:
            self.on = True

    def detach(self) -> None:
        """Take the modules off for good."""
        for handle in self.handles:
            handle.remove()
        self.networks.attached = None


def by_layer(tensors: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Sort a file's tensors by layer."""
    found: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        key, end = cut(name)
        found.setdefault(key, {})[end] = tensor
    return found


def through(layer: Layer, given: Tensor, weight: Tensor) -> Tensor:
    """Send what a layer is given through another weight of its shape, without a bias."""
    if isinstance(layer, torch.nn.Conv2d):
        return torch.nn.functional.conv2d(given, weight, None, layer.stride, layer.padding)
    return torch.nn.functional.linear(given, weight)


def beside(delta: Tensor, layer: Layer, given: tuple[Tensor, ...], out: Tensor) -> Tensor:
    """Add what a changed weight adds to a layer's answer."""
    return out + through(layer, given[0], delta)


def shaped(module: Any, weight: Tensor) -> Tensor:
    """Give what a module that only adds adds to a weight."""
    gained: Tensor = module.get_weight(weight.shape)
    return gained


def product(parts: Parts, up: str, down: str) -> Tensor:
    """Multiply two factors, (out, rank) and (rank, in, ...), to (out, all the rest)."""
    return parts[up].flatten(1) @ parts[down].flatten(1)


def scale(parts: Parts, rank: int) -> float:
    """Give alpha by rank; a missing alpha means one."""
    return float(parts["alpha"]) / rank if "alpha" in parts else 1.0


def factors(dimension: int, near: int) -> tuple[int, int]:
    """Cut a dimension into two factors, the smaller first: near a number, or below it.

    As LyCORIS does (`functional/general.py`, factorization), whose import takes seconds.
    """
    if dimension % near == 0:
        small = near
    else:
        root = isqrt(dimension)
        small = max(at for at in range(1, min(near, root) + 1) if dimension % at == 0)
    other = dimension // small
    return min(small, other), max(small, other)
