"""Dropout of what adapters add to a network (Srivastava et al. 2014), while they learn."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from training.run.examples import step_generator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from training.networks.networks import Networks
    from training.recipe.recipe import Recipe


@contextmanager
def adapter_dropout(networks: Networks, recipe: Recipe, step: int) -> Iterator[None]:
    """Let adapters drop a part of what they add inside the block, which is one step.

    What is dropped follows from the seed and the step; torch's own draws stay as they were.
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
