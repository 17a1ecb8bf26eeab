"""Methods: a module here is one thing that can be trained, found by its being here.

A module gives `attach` (to train), `check` and `worn` (to sample from a file), `rules` (how the
dial becomes numbers), `METHOD` (which options it takes) and `KIND` (what modelspec calls its
file).
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
from typing import TYPE_CHECKING, Protocol

from storage.errors import JobError
from storage.limits import check_range

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from torch import Tensor

    from storage.records import Base, Method, Rule
    from training.networks.networks import Attached, Networks
    from training.recipe.recipe import Recipe


# peft brings bitsandbytes in where it is installed, which tells of kernels that nobody asked for
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)


class Module(Protocol):
    """What a module in this folder gives."""

    KIND: str
    METHOD: Method  #: as the catalog tells of it

    def attach(self, networks: Networks, recipe: Recipe) -> Attached:
        """Make ready to train."""
        ...

    def check(self, networks: Networks, tensors: dict[str, Tensor]) -> None:
        """Refuse tensors that are not a style for these networks."""
        ...

    def worn(
        self, networks: Networks, tensors: dict[str, Tensor], word: str, strength: float
    ) -> AbstractContextManager[None]:
        """Draw with a style inside the block."""
        ...

    def rules(self, base: Base) -> Iterator[Rule]:
        """Say how steps, rank and rate follow from the dial on a base."""
        ...


def chosen(recipe: Recipe) -> Module:
    """Find a recipe's method, and refuse options that it does not take."""
    found = walk().get(recipe.method)
    if found is None:
        raise JobError("method_unknown", method=recipe.method)
    check_range("rank", recipe.rank, found.METHOD.ranks, JobError)
    if recipe.dropout and not (recipe.rank and found.METHOD.dropout):
        raise JobError("dropout_method", method=recipe.method)
    if recipe.other_concepts and found.METHOD.word:
        raise JobError("concepts_method", method=recipe.method)
    return found


def walk() -> dict[str, Module]:
    """Find the methods by the modules in this folder."""
    names = [
        module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")
    ]
    return {name: importlib.import_module(f"{__name__}.{name}") for name in names}
