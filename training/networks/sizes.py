"""How large a family's layers are, counted on its true networks: so large its files will be.

A family says it once; every method works out its own file from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from training import families

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.records import Base

Row = tuple[int, int, int, int]  #: outputs, inputs, places of a kernel, and how many are alike
NAME = 143  #: bytes that the name, form and place of a tensor take in a file's header, about


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

    def rows(self, *, text: bool, wide: bool = True) -> Iterator[Row]:
        """Give the layers that a method adapts."""
        for layers in (self.denoiser, self.text) if text else (self.denoiser,):
            yield from layers.attention
            yield from layers.further if wide else ()


def sizes(base: Base) -> Sizes:
    """Give a base's; all small bases are taken for the embedded one."""
    return SMALL if base.small else family(base.family)


def family(name: str) -> Sizes:
    """Give those of a family's true networks; nothing of one that is not here."""
    known = families.walk().get(name)
    return known.SIZES if known else NONE


NONE = Sizes(Layers(), Layers(), model=0, words=())
SMALL = Sizes(
    Layers(
        ((192, 192, 1, 32),),
        (
            (96, 96, 9, 4),
            (96, 192, 9, 1),
            (96, 288, 9, 1),
            (192, 96, 9, 1),
            (192, 192, 1, 8),
            (192, 192, 9, 7),
            (192, 288, 9, 1),
            (192, 384, 9, 1),
            (192, 768, 1, 4),
            (1536, 192, 1, 4),
        ),
    ),
    Layers(
        ((192, 192, 1, 8),),
        (
            (192, 768, 1, 2),
            (768, 192, 1, 2),
        ),
    ),
    model=24_100_000,
    words=(192,),
)
