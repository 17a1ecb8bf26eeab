"""Methods: a module in this folder is one thing that can be trained, found by being here.

A module has

- `METHOD`: what people choose by, published in the catalog;
- `TRAITS`: what training, inspecting and writing files need to know of it;
- `rules` and `defaults`: the numbers that follow from the dial, the base and its family;
- `attach`: makes networks ready to train; `check` and `apply`: draw with a file of it;
- `export`, if another program wants its files in another format.

A name with an underscore is shared code. A method may build on another one (pivotal tuning is an
embedding and a LoRA; LoCon and DreamBooth are LoRAs), never the other way round, and none imports
a family: a family's numbers are passed in. Importing a method imports no torch
(`training/lazy.py`), so that the shell and the scheduler can list them at once.
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

from storage.errors import JobError
from storage.limits import check_range
from storage.records import Base, Method, Rule
from storage.requests import TrainRequest
from training.lazy import Tensor
from training.networks.counts import FamilyNumbers
from training.networks.networks import Attached, Networks
from training.networks.traits import MethodTraits
from training.recipe.recipe import Recipe

# peft brings bitsandbytes in where it is installed, which tells of kernels that nobody asked for
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)


class MethodModule(Protocol):
    """What a module in this folder gives."""

    METHOD: Method  #: as the catalog publishes it
    TRAITS: MethodTraits

    def attach(self, networks: Networks, recipe: Recipe) -> Attached:
        """Make ready to train."""

    def check(self, networks: Networks, tensors: dict[str, Tensor]) -> None:
        """Refuse tensors that are not a style for these networks."""

    def apply(
        self, networks: Networks, tensors: dict[str, Tensor], word: str, strength: float
    ) -> AbstractContextManager[None]:
        """Draw with a style inside the block."""

    def rules(self, base: Base, family: FamilyNumbers) -> Iterator[Rule]:
        """Return the numbers that follow from the dial; none where it cannot train the family."""

    def defaults(self, request: TrainRequest, base: Base, family: FamilyNumbers) -> dict[str, Any]:
        """Return the fields of a recipe that the method decides where nobody said otherwise."""


def find_for_recipe(recipe: Recipe) -> MethodModule:
    """Return a recipe's method, and refuse options that it does not take."""
    found = find(recipe.method)
    check_range("rank", recipe.rank, found.METHOD.ranks, JobError)
    if recipe.dropout and not (recipe.rank and found.METHOD.dropout):
        raise JobError("dropout_method", method=recipe.method)
    if recipe.other_concepts and found.METHOD.learns_word:
        raise JobError("concepts_method", method=recipe.method)
    return found


def find(name: str) -> MethodModule:
    """Return a method by its name; raise JobError("method_unknown") where there is none."""
    found = walk().get(name)
    if found is None:
        raise JobError("method_unknown", method=name, choices=list(walk()))
    return found


def walk() -> dict[str, MethodModule]:
    """Find the methods by the modules in this folder."""
    names = [
        module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")
    ]
    return {name: importlib.import_module(f"{__name__}.{name}") for name in names}
