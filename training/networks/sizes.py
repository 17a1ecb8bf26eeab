"""How large a family's layers are: every method derives the size of its files from it.

`training.networks.counts` reads it from the JSON beside the family's file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = tuple[int, int, int, int]  #: outputs, inputs, places of a kernel, and how many are alike
#: bytes that the name, form and place of a tensor take in a file's header, about
HEADER_BYTES_PER_TENSOR = 143


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers of networks that adapters can stand beside."""

    attention: tuple[Row, ...] = ()
    further: tuple[Row, ...] = ()  #: MLP and convolutions


@dataclass(frozen=True, slots=True)
class Sizes:
    """What of a family's networks counts in files."""

    denoiser: Layers
    text: Layers  #: of all text encoders that can be trained
    model: int  #: bytes of a whole model's file, two a number
    words: tuple[int, ...]  #: the width of a learned word in each vocabulary

    def rows(self, *, text: bool, all_layers: bool = True) -> Iterator[Row]:
        """Yield the layers that a method adapts."""
        for layers in (self.denoiser, self.text) if text else (self.denoiser,):
            yield from layers.attention
            yield from layers.further if all_layers else ()


def read_sizes(content: Mapping[str, Any]) -> Sizes:
    """Read sizes from JSON, whose lists are tuples here."""
    denoiser, text = (
        Layers(*(tuple(map(tuple, content[part][kind])) for kind in ("attention", "further")))
        for part in ("denoiser", "text")
    )
    return Sizes(denoiser, text, content["model"], tuple(content["words"]))


NONE = Sizes(Layers(), Layers(), model=0, words=())
SMALL_FILE = Path(__file__).with_name("small.json")
SMALL = read_sizes(json.loads(SMALL_FILE.read_text("utf-8")))
