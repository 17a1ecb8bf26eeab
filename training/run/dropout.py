"""Dropout of the adapters' output in training (Srivastava et al. 2014)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from training.networks.networks import Networks
from training.recipe.recipe import Recipe
from training.run.examples import step_generator


@contextmanager
def adapter_dropout(networks: Networks, recipe: Recipe, step: int) -> Iterator[None]:
    """Apply the recipe's dropout to the adapters inside the block, which is one step.

    It draws from the seed and the step; torch's global generator is left as it was.
    """
    if not recipe.dropout:
        yield
        return
    with torch.random.fork_rng():
        torch.manual_seed(step_generator(recipe.seed, step, "dropout").initial_seed())
        networks.dropout = recipe.dropout
        try:
            yield
        finally:
            networks.dropout = 0.0
