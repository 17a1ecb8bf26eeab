"""Textual inversion (Gal et al. 2022): one to eight vectors that answer to a new word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from storage.errors import JobError
from storage.records import Concept, Dial, Rule

if TYPE_CHECKING:
    from storage.records import Base
    from training.networks import Networks
    from training.recipe import Recipe

KIND = "textual-inversion"
WORDY = True
KEY = "emb_params"

SMALL = {Dial.QUICK: (150, 2), Dial.BALANCED: (240, 4), Dial.THOROUGH: (600, 6)}
FULL = {Dial.QUICK: (800, 2), Dial.BALANCED: (1500, 4), Dial.THOROUGH: (3000, 8)}


class Embedding:
    """A word at work in a base's vocabulary."""

    text = True
    paces: Mapping[str, float] = {}

    def __init__(self, networks: Networks, recipe: Recipe) -> None:
        self.networks = networks
        self.word = recipe.trigger
        self.vectors = nn.Parameter(begin(networks, recipe))
        self.before, networks.words = networks.words, {self.word: self.vectors}
        networks.attached = self

    @property
    def parameters(self) -> dict[str, nn.Parameter]:
        """Name what is trained: these vectors alone."""
        return {KEY: self.vectors}

    def weights(self) -> dict[str, Tensor]:
        """Give the file's one tensor."""
        return {KEY: self.vectors.detach().cpu().clone()}

    def aside(self) -> AbstractContextManager[None]:
        """Make the networks behave as without it inside the block."""
        return self.networks.speaking(self.before)

    def detach(self) -> None:
        """Forget the word."""
        self.networks.words = self.before
        self.networks.attached = None


def attach(networks: Networks, recipe: Recipe) -> Embedding:
    """Make ready to train."""
    return Embedding(networks, recipe)


def begin(networks: Networks, recipe: Recipe) -> Tensor:
    """Start from the initial word's tokens; further vectors start beside them."""
    known = networks.vocabulary.weight.detach().float()
    start = known[networks.spell(recipe.word)] if recipe.word.strip() else known.mean(0)[None]
    rows = [start[min(at, len(start) - 1)] for at in range(recipe.rank)]
    vectors = torch.stack(rows).cpu()
    generator = torch.Generator().manual_seed(recipe.seed)
    beside = torch.randn(vectors.shape, generator=generator) * known.std().cpu() * 0.1
    beside[: len(start)] = 0
    return (vectors + beside).to(known.device)


def check(networks: Networks, tensors: dict[str, Tensor]) -> None:
    """Refuse tensors that are not an embedding for this text encoder."""
    if list(tensors) != [KEY]:
        raise JobError("style_broken", reason="not one emb_params")
    vectors, width = tensors[KEY], networks.vocabulary.embedding_dim
    sound = vectors.is_floating_point() and vectors.ndim == 2 and vectors.shape[1] == width
    if not (sound and 1 <= len(vectors) <= 32 and torch.isfinite(vectors).all()):
        raise JobError("style_broken", reason="wrong tensor emb_params")


@contextmanager
def worn(
    networks: Networks, tensors: dict[str, Tensor], word: str, strength: float
) -> Iterator[None]:
    """Know the word inside the block."""
    vectors = (tensors[KEY].float() * strength).to(networks.vocabulary.weight.device)
    with networks.speaking({word: vectors}):
        yield


def rules(base: Base) -> Iterator[Rule]:
    """Say how steps, vectors and rate follow from the dial on a base."""
    for dial, (steps, vectors) in (SMALL if base.small else FULL).items():
        for concept in Concept:
            yield Rule(
                "embedding", base.name, concept, dial,
                steps=steps, photo=0, least=steps, most=steps, rank=vectors,
                rate=2e-2 if base.small else 5e-3, batch=4 if base.small else 1,
                bytes=vectors * (192 if base.small else 768) * 2 + 3000,
                reason=f"embedding_{concept}_{dial}",
            )  # fmt: skip
