"""Stage `stylist`: a small network that tells looks, to teach the captioner.

Where a name lacks one style, who knows names tells wrong ones. So the stylist sees no more than 43
pixels at once, of which it keeps means and spreads: a line, a shade, an eye, but hardly a thing;
and of most pictures a part is covered (DeVries and Taylor 2017, arXiv 1708.04552). A style is its
paints, too: exact colours are seen by themselves, as waves (Tancik et al. 2020, arXiv 2006.10739).
"""

# ruff: noqa: T201  # a stage prints what it measured

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from training.pretraining.backgrounds import halfwhite, lay, seldom
from training.pretraining.distributed import Drawn, drill
from training.pretraining.export import filled
from training.pretraining.judge import block
from training.pretraining.mosaics import Mosaics
from training.pretraining.names import HELD_OUT_STYLES, STYLES
from training.pretraining.split import examination, examined, mirrored

if TYPE_CHECKING:
    from pathlib import Path

FINE, MIDDLE, NEAR = 64, 128, 96  #: features of places 2, 4 and 8 pixels wide
PAINTS = 96  #: features of the colours in a place
WAVES = 7  #: the shortest is 4 of 255 steps of a colour long
COVERED, LEAST, MOST = 0.7, 20, 48  # share of pictures, and the sides of what is hidden of them
Seen = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
RARELY = 0.35  #: how often the two held-out styles are shown: they are easily told


class Look(nn.Module):
    """The network: what places look like, and from that the style."""

    def __init__(self) -> None:
        super().__init__()
        self.fine, self.middle = block(3, FINE), block(FINE, MIDDLE)
        self.near = block(MIDDLE, NEAR)
        self.place = nn.Sequential(nn.Conv2d(NEAR, 64, 1), nn.SiLU(), nn.Conv2d(64, 64, 1))
        self.colour = nn.Sequential(
            nn.Conv2d(3 * (1 + 2 * WAVES), 128, 1), nn.SiLU(), nn.Conv2d(128, PAINTS, 1), nn.SiLU()
        )
        self.style = nn.Sequential(
            nn.Dropout(0.1),
            nn.Linear(64 + 2 * (FINE + MIDDLE + NEAR + PAINTS), 64),
            nn.SiLU(),
            nn.Linear(64, len(STYLES)),
        )

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Score every style of pixels (B, 3, 64, 64) in -1..1."""
        return self.sight(pixels)[2]

    def sight(self, pixels: torch.Tensor) -> Seen:
        """Give each place's look (B, 96, 8, 8) and colours (B, 96, 8, 8), and styles' scores."""
        fine = self.fine(pixels)
        middle = self.middle(fine)
        near = self.near(middle)
        seen = (fine, middle, near)
        texture = [part for x in seen for part in (x.mean((2, 3)), x.std((2, 3)))]
        colours = functional.avg_pool2d(self.colour(waves(pixels[:, :, ::2, ::2])).float(), 4)
        paints = (colours.mean((2, 3)), colours.amax((2, 3)))
        shapes = self.place(near).mean((2, 3))
        return near, colours, self.style(torch.cat([shapes, *texture, *paints], 1))


def waves(pixels: torch.Tensor) -> torch.Tensor:
    """Add to colours (B, 3, H, W) in -1..1 where they lie on shorter and shorter waves."""
    angles = torch.cat([pixels.float() * (math.pi * 2**wave) for wave in range(WAVES)], 1)
    return torch.cat([pixels, angles.sin(), angles.cos()], 1)


class Lesson:
    """The stylist with its pictures and its loss."""

    name = "stylist"
    steps = 1200
    batch = 32  # and a quarter as many mosaics
    rate = 3e-3
    matrix_rate = 3e-3
    decay = 0.99

    def __init__(self, work: Path) -> None:
        pictures = torch.load(work / "pictures.pt", weights_only=True)
        pairs = list(zip(pictures["names"], pictures["styles"], strict=True))
        kept = [i for i, pair in enumerate(pairs) if not examined(*pair)]
        self.rgba, styles = pictures["rgba"][kept], [pairs[i][1] for i in kept]
        self.styles = torch.tensor([STYLES.index(style) for style in styles])
        self.often = torch.tensor([RARELY if s in HELD_OUT_STYLES else 1.0 for s in styles])
        self.mosaics = Mosaics(self.rgba, styles)
        self.networks = Look()

    def draw(self, generator: torch.Generator, step: int) -> Drawn:  # noqa: ARG002
        """Draw mirrored, shifted, blurred, covered pictures, then mosaics, and their styles."""
        chosen = torch.multinomial(self.often, self.batch, True, generator=generator)
        whole = lay(self.rgba[chosen], halfwhite(self.batch, generator))
        count = self.batch // 4
        looks = torch.randint(len(STYLES), (count,), generator=generator)
        tiles = self.mosaics.laid(looks.tolist(), halfwhite(count, generator), generator)
        pixels = covered(seldom(mirrored(whole, generator), generator), generator)
        return torch.cat([pixels, tiles]), torch.cat([self.styles[chosen], looks])

    def loss(self, drawn: Drawn) -> torch.Tensor:
        """Tell the styles."""
        pixels, right = drawn
        scores = self.networks(pixels).float()
        return functional.cross_entropy(scores, right, label_smoothing=0.1)


def covered(pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Hide a part of most pictures (B, 3, 64, 64) under the colour of their corner."""
    for picture in pixels:
        high, wide = torch.randint(LEAST, MOST, (2,), generator=generator).tolist()
        top, left = (
            int(torch.randint(65 - side, (), generator=generator)) for side in (high, wide)
        )
        if torch.rand((), generator=generator) < COVERED:
            picture[:, top : top + high, left : left + wide] = picture[:, :1, :1]
    return pixels


def trained(work: Path) -> Look:
    """Load the stylist."""
    look = Look()
    filled(look, work / "stylist.ckpt", "")
    return look.eval().requires_grad_(False)


@torch.no_grad()
def run(work: Path) -> None:
    """Train the stylist; print how many styles of the examination it tells."""
    drill(Lesson, work)
    pixels, pairs = examination(work)
    found = [STYLES[i] for i in trained(work)(pixels).argmax(1).tolist()]
    right = sum(guess == style for guess, (_, style) in zip(found, pairs, strict=True))
    print(f"styles {right} of {len(pairs)} that it never saw")
