"""Stage `style_teacher`: train a small network that classifies styles.

The captioner learns from its features. Not every name is drawn in every style, so a network that
recognises names can exclude styles instead of seeing them. This one therefore sees at most 43
pixels at once and pools their means and standard deviations, which show lines and shading but
hardly a whole thing; and a part of most pictures is covered (DeVries and Taylor 2017, arXiv
1708.04552). Colours are a part of a style: exact ones are encoded as waves (Tancik et al. 2020,
arXiv 2006.10739).
"""

# ruff: noqa: T201  # a stage prints what it measured

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from training.pretraining.backgrounds import distort_some, half_white_backgrounds, put_on
from training.pretraining.distributed import Batch, train_distributed
from training.pretraining.export import load_average
from training.pretraining.judge import make_block
from training.pretraining.mosaics import Mosaics
from training.pretraining.names import HELD_OUT_STYLES, STYLES
from training.pretraining.split import is_test_picture, load_test_pictures, mirror_half

if TYPE_CHECKING:
    from pathlib import Path

FINE, MIDDLE, COARSE = 64, 128, 96  #: features of places 2, 4 and 8 pixels wide
COLOUR_FEATURES = 96  #: features of the colours in a place
WAVES = 7  #: the shortest is 4 of 255 colour steps long
COVERED_SHARE = 0.7  #: share of the pictures of which a part is covered
MIN_COVERED, MAX_COVERED = 20, 48  #: sides of the covered rectangle, in pixels
Features = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
HELD_OUT_WEIGHT = 0.35  #: sampling weight of the two held-out styles, which are easy to recognise


class StyleNetwork(nn.Module):
    """Scores styles from local texture and colour features."""

    def __init__(self) -> None:
        super().__init__()
        self.fine, self.middle = make_block(3, FINE), make_block(FINE, MIDDLE)
        self.near = make_block(MIDDLE, COARSE)
        self.place = nn.Sequential(nn.Conv2d(COARSE, 64, 1), nn.SiLU(), nn.Conv2d(64, 64, 1))
        self.colour = nn.Sequential(
            nn.Conv2d(3 * (1 + 2 * WAVES), 128, 1),
            nn.SiLU(),
            nn.Conv2d(128, COLOUR_FEATURES, 1),
            nn.SiLU(),
        )
        self.style = nn.Sequential(
            nn.Dropout(0.1),
            nn.Linear(64 + 2 * (FINE + MIDDLE + COARSE + COLOUR_FEATURES), 64),
            nn.SiLU(),
            nn.Linear(64, len(STYLES)),
        )

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return a score for every style of pixels (B, 3, 64, 64) in -1..1."""
        return self.encode(pixels)[2]

    def encode(self, pixels: torch.Tensor) -> Features:
        """Return local features (B, 96, 8, 8), colours (B, 96, 8, 8), and scores (B, styles)."""
        fine = self.fine(pixels)
        middle = self.middle(fine)
        near = self.near(middle)
        levels = (fine, middle, near)
        texture = [part for x in levels for part in (x.mean((2, 3)), x.std((2, 3)))]
        colours = functional.avg_pool2d(
            self.colour(encode_colours(pixels[:, :, ::2, ::2])).float(), 4
        )
        colour_summary = (colours.mean((2, 3)), colours.amax((2, 3)))
        shapes = self.place(near).mean((2, 3))
        return near, colours, self.style(torch.cat([shapes, *texture, *colour_summary], 1))


def encode_colours(pixels: torch.Tensor) -> torch.Tensor:
    """Append sines and cosines of ever shorter waves to colours (B, 3, H, W) in -1..1."""
    angles = torch.cat([pixels.float() * (math.pi * 2**wave) for wave in range(WAVES)], 1)
    return torch.cat([pixels, angles.sin(), angles.cos()], 1)


class StyleTeacherTask:
    """The style teacher with its training pictures and its loss."""

    name = "style_teacher"
    steps = 1200
    batch_size = 32  # and a quarter as many mosaics
    learning_rate = 3e-3
    muon_learning_rate = 3e-3
    ema_decay = 0.99

    def __init__(self, work: Path) -> None:
        pictures = torch.load(work / "pictures.pt", weights_only=True)
        pairs = list(zip(pictures["names"], pictures["styles"], strict=True))
        kept = [i for i, pair in enumerate(pairs) if not is_test_picture(*pair)]
        self.rgba, styles = pictures["rgba"][kept], [pairs[i][1] for i in kept]
        self.styles = torch.tensor([STYLES.index(style) for style in styles])
        self.weights = torch.tensor(
            [HELD_OUT_WEIGHT if s in HELD_OUT_STYLES else 1.0 for s in styles]
        )
        self.mosaics = Mosaics(self.rgba, styles)
        self.networks = StyleNetwork()

    def draw_batch(self, generator: torch.Generator, step: int) -> Batch:  # noqa: ARG002
        """Return distorted, covered pictures, then mosaics, and the indices of their styles."""
        chosen = torch.multinomial(self.weights, self.batch_size, True, generator=generator)
        whole = put_on(self.rgba[chosen], half_white_backgrounds(self.batch_size, generator))
        count = self.batch_size // 4
        tile_styles = torch.randint(len(STYLES), (count,), generator=generator)
        tiles = self.mosaics.draw(
            tile_styles.tolist(), half_white_backgrounds(count, generator), generator
        )
        pixels = cover_parts(distort_some(mirror_half(whole, generator), generator), generator)
        return torch.cat([pixels, tiles]), torch.cat([self.styles[chosen], tile_styles])

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return the cross-entropy of the styles."""
        pixels, right = batch
        scores = self.networks(pixels).float()
        return functional.cross_entropy(scores, right, label_smoothing=0.1)


def cover_parts(pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Cover a part of most pictures (B, 3, 64, 64) with the colour of their corner, in place."""
    for picture in pixels:
        high, wide = torch.randint(MIN_COVERED, MAX_COVERED, (2,), generator=generator).tolist()
        top, left = (
            int(torch.randint(65 - side, (), generator=generator)) for side in (high, wide)
        )
        if torch.rand((), generator=generator) < COVERED_SHARE:
            picture[:, top : top + high, left : left + wide] = picture[:, :1, :1]
    return pixels


def load_teacher(work: Path) -> StyleNetwork:
    """Load the style teacher, frozen."""
    network = StyleNetwork()
    load_average(network, work / "style_teacher.ckpt", "")
    return network.eval().requires_grad_(False)


@torch.no_grad()
def run(work: Path) -> None:
    """Train the style teacher; print how many styles of the test pictures it recognises."""
    train_distributed(StyleTeacherTask, work)
    pixels, pairs = load_test_pictures(work)
    guesses = [STYLES[i] for i in load_teacher(work)(pixels).argmax(1).tolist()]
    right = sum(guess == style for guess, (_, style) in zip(guesses, pairs, strict=True))
    print(f"styles {right} of {len(pairs)} that it never saw")
