"""Mosaics: tiles cut from four pictures of one style, which show a style but no thing.

Not every name is drawn in every style. A network that recognises the name can exclude the missing
styles; a mosaic shows no name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from training.pretraining.backgrounds import SIDE, distort_some, put_on
from training.pretraining.names import STYLES

if TYPE_CHECKING:
    from collections.abc import Sequence

SOURCES = 4
TILES = (16, 32)  #: sides of tiles in pixels: the small show lines, the large shapes
EDGE = 4  #: pixels at a picture's edge that no tile shows


class Mosaics:
    """Training pictures by style, from which mosaics are composed."""

    def __init__(self, rgba: torch.Tensor, styles: Sequence[str]) -> None:
        self.rgba = rgba  # (N, 4, 64, 64), bytes
        numbers = torch.tensor([STYLES.index(style) for style in styles])
        self.by_style = [(numbers == number).nonzero()[:, 0] for number in range(len(STYLES))]

    def draw(
        self, styles: list[int], backgrounds: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """Return a mosaic (B, 3, 64, 64) of each style on its background."""
        sources = []
        for _ in range(SOURCES):
            rows = [draw_row(self.by_style[style], generator) for style in styles]
            sources.append(put_on(self.rgba[rows], backgrounds))
        tile = TILES[int(torch.randint(len(TILES), (), generator=generator))]
        tiles = torch.empty_like(sources[0])
        for down in range(0, SIDE, tile):
            for right in range(0, SIDE, tile):
                source = sources[int(torch.randint(SOURCES, (), generator=generator))]
                most = SIDE - EDGE - tile + 1
                top, left = torch.randint(EDGE, most, (2,), generator=generator).tolist()
                cut = source[:, :, top : top + tile, left : left + tile]
                tiles[:, :, down : down + tile, right : right + tile] = cut
        return distort_some(tiles, generator)


def draw_row(rows: torch.Tensor, generator: torch.Generator) -> int:
    """Return one of the rows, or the first of all rows if there are none."""
    return int(rows[torch.randint(len(rows), (), generator=generator)]) if len(rows) else 0
