"""Stage `stylist`: a small convolutional network that tells looks, to teach the captioner.

Where a name lacks one style, who knows names tells wrong ones. So the stylist sees no more than 43
pixels at once, of which it keeps means and spreads: a line, a shade, an eye, but hardly a thing.
"""

# ruff: noqa: T201  # a stage prints what it measured

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from training.embedded.drill import Drawn, drill
from training.embedded.export import filled
from training.embedded.grounds import disturbed, halfwhite, lay, plain
from training.embedded.judge import block
from training.embedded.mosaics import Mosaics
from training.embedded.names import HELD_OUT_STYLES, STYLES
from training.embedded.split import examined, mirrored

if TYPE_CHECKING:
    from pathlib import Path

RARELY = 0.35  #: how often the two held-out styles are shown: they are easily told


class Look(nn.Module):
    """The network: what places look like, and from that the style."""

    def __init__(self) -> None:
        super().__init__()
        self.fine, self.middle, self.near = block(3, 32), block(32, 64), block(64, 96)
        self.place = nn.Sequential(nn.Conv2d(96, 64, 1), nn.SiLU(), nn.Conv2d(64, 64, 1))
        self.style = nn.Sequential(
            nn.Dropout(0.1),
            nn.Linear(64 + 2 * (32 + 64 + 96), 64),
            nn.SiLU(),
            nn.Linear(64, len(STYLES)),
        )

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Score every style of pixels (B, 3, 64, 64) in -1..1."""
        return self.sight(pixels)[1]

    def sight(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Give what is seen in each place (B, 96, 8, 8), and the scores of the styles."""
        fine = self.fine(pixels)
        middle = self.middle(fine)
        near = self.near(middle)
        seen = (fine, middle, near)
        texture = [part for x in seen for part in (x.mean((2, 3)), x.std((2, 3)))]
        return near, self.style(torch.cat([self.place(near).mean((2, 3)), *texture], 1))


class Lesson:
    """The stylist with its pictures and its loss."""

    name = "stylist"
    steps = 2400
    batch = 32  # and a quarter as many mosaics
    rate = 3e-3
    matrix_rate = 0.0
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
        """Draw mirrored, shifted, blurred, noisy pictures, then mosaics, and their styles."""
        chosen = torch.multinomial(self.often, self.batch, True, generator=generator)
        whole = lay(self.rgba[chosen], halfwhite(self.batch, generator))
        count = self.batch // 4
        looks = torch.randint(len(STYLES), (count,), generator=generator)
        tiles = self.mosaics.laid(looks.tolist(), halfwhite(count, generator), generator)
        pixels = torch.cat([disturbed(mirrored(whole, generator), generator), tiles])
        return pixels, torch.cat([self.styles[chosen], looks])

    def loss(self, drawn: Drawn) -> torch.Tensor:
        """Tell the styles."""
        pixels, right = drawn
        scores = self.networks(pixels).float()
        return functional.cross_entropy(scores, right, label_smoothing=0.1)


def trained(work: Path) -> Look:
    """Load the stylist."""
    look = Look()
    filled(look, work / "stylist.ckpt", "")
    return look.eval().requires_grad_(False)


@torch.no_grad()
def run(work: Path) -> None:
    """Train the stylist; print how many styles of the examination it tells."""
    drill(Lesson, work)
    pictures = torch.load(work / "pictures.pt", weights_only=True)
    pairs = list(zip(pictures["names"], pictures["styles"], strict=True))
    kept = [i for i, pair in enumerate(pairs) if examined(*pair)]
    pixels = lay(pictures["rgba"][kept], plain(torch.zeros(len(kept), dtype=torch.long)))
    found = [STYLES[i] for i in trained(work)(pixels).argmax(1).tolist()]
    right = sum(style == pairs[i][1] for style, i in zip(found, kept, strict=True))
    print(f"styles {right} of {len(kept)} that it never saw")
