"""Stage `tutor`: a small convolutional network that tells things and looks, as a teacher.

A transformer learns a thousand pictures by heart; convolutions see what is alike in them. The
tutor sees the same pictures as the captioner, so the examination is as new to it. It learns looks
of other things than those whose names it learns, and of mosaics.
"""

# ruff: noqa: T201  # a stage prints what it measured

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from training.embedded.drill import Drawn, drill
from training.embedded.export import filled
from training.embedded.grounds import disturbed, lay, painted, plain
from training.embedded.judge import Eye
from training.embedded.mosaics import Mosaics, some
from training.embedded.names import EVERYDAY, HELD_OUT_SUBJECTS, STYLES
from training.embedded.split import examined, mirrored, varied

if TYPE_CHECKING:
    from pathlib import Path

KNOWN = (*EVERYDAY, *HELD_OUT_SUBJECTS)  #: names, in the order of its answers


class Lesson:
    """The tutor with its pictures and its loss."""

    name = "tutor"
    steps = 2400
    batch = 32  # known things; half as many others, and mosaics
    rate = 2e-3
    matrix_rate = 0.0
    decay = 0.99

    def __init__(self, work: Path) -> None:
        pictures = torch.load(work / "pictures.pt", weights_only=True)
        pairs = list(zip(pictures["names"], pictures["styles"], strict=True))
        kept = [i for i, pair in enumerate(pairs) if not examined(*pair)]
        self.rgba, self.pairs = pictures["rgba"][kept], [pairs[i] for i in kept]
        known = torch.tensor([name in KNOWN for name, _ in self.pairs])
        self.known, self.others = (rows.nonzero()[:, 0] for rows in (known, ~known))
        self.mosaics = Mosaics(self.rgba, [style for _, style in self.pairs])
        self.networks: Eye = Eye(len(KNOWN))

    def draw(self, generator: torch.Generator, step: int) -> Drawn:  # noqa: ARG002
        """Draw recoloured known things with names, then others and mosaics with styles."""
        known = self.known[torch.randint(len(self.known), (self.batch,), generator=generator)]
        names = [self.pairs[i][0] for i in known.tolist()]
        pixels = varied(self.rgba[known], names, self.grounds(self.batch, generator), generator)
        half = self.batch // 2
        others = [some(self.others, generator) for _ in range(half)]
        plain = mirrored(lay(self.rgba[others], self.grounds(half, generator)), generator)
        styles = [STYLES.index(self.pairs[i][1]) for i in others]
        looks = torch.randint(len(STYLES), (half,), generator=generator).tolist()
        tiles = self.mosaics.laid(looks, self.grounds(half, generator), generator)
        return (
            torch.cat([pixels, disturbed(plain, generator), tiles]),
            torch.tensor([KNOWN.index(name) for name in names]),
            torch.tensor(styles + looks),
        )

    def grounds(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """Paint grounds, every second one white."""
        white = torch.rand(count, 1, 1, 1, generator=generator) < 0.5
        return painted(count, generator).masked_fill(white, 1.0)

    def loss(self, drawn: Drawn) -> torch.Tensor:
        """Tell the names, and the styles."""
        pixels, names, styles = drawn
        features = self.networks(pixels)
        named = self.networks.names(features[: len(names)]).float()
        styled = self.networks.styles(features[len(names) :]).float()
        return functional.cross_entropy(
            named, names, label_smoothing=0.1
        ) + functional.cross_entropy(styled, styles, label_smoothing=0.1)


def trained(work: Path) -> Eye:
    """Load the tutor."""
    eye = Eye(len(KNOWN))
    filled(eye, work / "tutor.ckpt", "")
    return eye.eval().requires_grad_(False)


@torch.no_grad()
def run(work: Path) -> None:
    """Train the tutor; print what of the examination it tells."""
    drill(Lesson, work)
    eye = trained(work)
    pictures = torch.load(work / "pictures.pt", weights_only=True)
    pairs = list(zip(pictures["names"], pictures["styles"], strict=True))
    kept = [i for i, pair in enumerate(pairs) if examined(*pair)]
    pixels = lay(pictures["rgba"][kept], plain(torch.zeros(len(kept), dtype=torch.long)))
    features = eye(pixels)
    named = [KNOWN[i] for i in eye.names(features).argmax(1).tolist()]
    styled = [STYLES[i] for i in eye.styles(features).argmax(1).tolist()]
    right = [
        sum(a == pairs[i][at] for a, i in zip(told, kept, strict=True))
        for at, told in enumerate((named, styled))
    ]
    print(f"names {right[0]}, styles {right[1]} of {len(kept)} that it never saw")
