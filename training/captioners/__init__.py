"""Captioners: a module here describes photos with one kind of model, found by its being here.

A module has `MEMORY`, `recognises(place)` and `load(place, device)`, which returns a `Captioner`.
None of them imports torch before `load`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from PIL import Image

from storage.errors import JobError
from training.device import Device
from training.lazy import Tensor


@dataclass(frozen=True, slots=True)
class Description:
    """What a captioner says of a picture, in one line."""

    text: str
    known: bool = True  #: False if it is unlike what the captioner was trained on


class Captioner(Protocol):
    """A loaded model that describes pictures."""

    def describe(self, pictures: Sequence[Image.Image]) -> list[Description]:
        """Describe pictures; of what it does not know, it names the ground at most."""

    def extract_features(self, pictures: Sequence[Image.Image]) -> Tensor:
        """Return what it sees in pictures (B, places, C), by which it describes them."""


class Module(Protocol):
    """What a module in this folder has."""

    MEMORY: int  #: MiB that the largest model of its kind takes

    def recognises(self, place: Path) -> bool:
        """Return whether a folder holds such a model."""

    def load(self, place: Path, device: Device) -> Captioner:
        """Load the model from its folder; raise JobError if its files are damaged."""


def names() -> list[str]:
    """List the captioners by the modules in this folder; none of them is imported."""
    return [
        module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")
    ]


def walk() -> dict[str, Module]:
    """Return the captioners by name."""
    return {name: importlib.import_module(f"{__name__}.{name}") for name in names()}


def find_name(place: Path) -> str | None:
    """Return the name of the captioner that recognises a folder, if one does."""
    return next((name for name, module in walk().items() if module.recognises(place)), None)


def find_module(place: Path) -> Module:
    """Return the captioner that recognises a folder; raise JobError if none does."""
    name = find_name(place)
    if name is None:
        raise JobError("captioner_broken", captioner=place.name)
    return walk()[name]
